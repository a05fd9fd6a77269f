select id, email, name, role, status, version, created_at, updated_at from app.users where tenant_id = $1 and id = $2
