insert into app.service_requests (tenant_id, number, title, text, site, position, reporter, contact, portal, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, true, $9, $9)
returning id
