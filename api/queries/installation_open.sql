insert into app.installations (tenant_id, item, position, from_at) values ($1, $2, $3, $4)
