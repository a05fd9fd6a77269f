-- In the order given, so that the same plan gets the same numbers.
insert into app.points (site_id, position_id, key, kind, unit, counter, resolution, horizon_ms)
select plan.site_id, plan.position_id, plan.key, plan.kind, plan.unit, plan.counter, plan.resolution, plan.horizon_ms
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::float8[], $8::bigint[])
    with ordinality as plan (site_id, position_id, key, kind, unit, counter, resolution, horizon_ms, nth)
-- Tried beforehand: a conflict would use up a number.
where not exists (select from app.points as point where point.key = plan.key and point.archived_at is null)
order by plan.nth
on conflict (tenant_id, key) where archived_at is null do nothing
returning id, number, key
