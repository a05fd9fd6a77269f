update app.asset_classes
set name = $2, parent = $3, description = $4, version = version + 1, updated_at = now()
where id = $1 and version = $5
returning id, code, name, parent, description, version, created_at, updated_at
