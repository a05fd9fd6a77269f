-- The next order of a year goes on after the demo's.
insert into app.order_numbers (tenant_id, year, last)
select '00000000-0000-4000-8000-000000000001', year, last
from unnest($1::int[], $2::bigint[]) as demo (year, last)
on conflict (tenant_id, year) do update set last = greatest(app.order_numbers.last, excluded.last)
