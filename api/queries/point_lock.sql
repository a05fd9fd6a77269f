select id, number, site_id as site, position_id as position, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms, version, created_at, updated_at
from app.points
where tenant_id = $1 and id = $2 and archived_at is null
for update
