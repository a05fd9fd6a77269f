insert into app.sla_policies (id, name, rank, calendar_id, order_types, priorities, sites, targets, valid_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
