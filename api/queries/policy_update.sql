update app.sla_policies
set name = $2, rank = $3, calendar_id = $4, order_types = $5, priorities = $6, sites = $7, targets = $8, valid_from = coalesce($9, now()),
    archived_at = $10, version = version + 1, updated_at = now()
where id = $1
returning id, name, rank, calendar_id, order_types, priorities, sites, targets, valid_from, version, created_at, updated_at
