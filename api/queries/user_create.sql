insert into app.users (tenant_id, email, name, role, password_hash)
values ($1, $2, $3, $4, $5)
on conflict (lower(email)) do nothing
returning id, email, name, role, status, version, created_at, updated_at
