select id, tenant_id, email, role, password_hash from app.users where lower(email) = $1 and status = 'active'
