insert into app.sla_policies (tenant_id, name, rank, calendar_id, order_types, priorities, sites, targets, valid_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now()))
on conflict do nothing
returning id, name, rank, calendar_id, order_types, priorities, sites, targets, valid_from, version, created_at, updated_at
