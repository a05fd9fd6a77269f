insert into app.asset_classes (tenant_id, code, name, parent, description)
values ($1, $2, $3, $4, $5)
on conflict do nothing
returning id, code, name, parent, description, version, created_at, updated_at
