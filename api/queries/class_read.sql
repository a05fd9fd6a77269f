select id, code, name, parent, description, version, created_at, updated_at
from app.asset_classes
where tenant_id = $1 and id = $2 and archived_at is null
