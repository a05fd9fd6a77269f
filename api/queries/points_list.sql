select id, number, site_id as site, position_id as position, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms, version, created_at, updated_at
from app.points
where tenant_id = $1 and archived_at is null
  and ($2::uuid is null or site_id = $2)
  and ($3::uuid is null or position_id = $3)
  and ($4::text[] is null or kind = any ($4))
  and ($5::text[] is null or key = any ($5))
  and ($6::text is null or key > $6)
order by key
limit $7
