-- Makes an occurrence, absorbed where the larger plan ($11) has one in the same window; nothing when it is there already.
-- Answers by what it is absorbed.
insert into app.pm_occurrences (id, tenant_id, plan, position, cause, basis, due_at, due_meter, window_from, window_to, absorbed_by, status, created_at, updated_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, larger.id, case when larger.id is null then 'due' else 'absorbed' end, $12, $12
from (select) one
left join lateral (
    select id from app.pm_occurrences other
    where other.plan = $11 and other.position = $4 and other.due_at between $9 and $10 and other.status in ('due', 'generated', 'done')
    order by abs(extract(epoch from other.due_at - $7::timestamptz)) limit 1
) larger on true
on conflict (plan, position, cause) do nothing
returning absorbed_by
