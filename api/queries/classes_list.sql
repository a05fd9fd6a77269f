select id, code, name, parent, description, version, created_at, updated_at
from app.asset_classes
where tenant_id = $1 and archived_at is null and ($2::text is null or code > $2)
order by code
limit $3
