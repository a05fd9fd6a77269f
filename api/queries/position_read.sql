select id, site_id as site, parent_id as parent, code, name, class, rated_kw, criticality, version, created_at, updated_at
from app.positions
where tenant_id = $1 and id = $2 and archived_at is null
