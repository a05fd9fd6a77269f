select id, email, name, role, status, version, created_at, updated_at
from app.users
where tenant_id = $1 and ($2::text is null or email > $2)
order by email
limit $3
