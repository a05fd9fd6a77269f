insert into app.changes (tenant_id, entity, id, version, event, by_id, by_label, by_name, reason, detail, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
