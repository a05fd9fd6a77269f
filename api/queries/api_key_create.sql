insert into app.api_keys (tenant_id, name, role, prefix, secret_sha256, created_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, name, role, prefix, expires_at, last_used_at, revoked_at, version, created_at, updated_at
