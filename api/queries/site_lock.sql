select id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold, version, created_at, updated_at
from app.sites
where tenant_id = $1 and id = $2 and archived_at is null
for update
