select wanted.id::text
from unnest($3::uuid[]) as wanted (id)
where not exists (select from app.positions place where place.tenant_id = $1 and place.site_id = $2 and place.id = wanted.id and place.archived_at is null)
