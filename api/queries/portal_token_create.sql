insert into app.portal_tokens (token, tenant_id, position, created_at) values ($1, $2, $3, $4) returning token, position, created_at
