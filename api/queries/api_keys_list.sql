select id, name, role, prefix, expires_at, last_used_at, revoked_at, version, created_at, updated_at
from app.api_keys
where tenant_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3))
order by created_at desc, id desc
limit $4
