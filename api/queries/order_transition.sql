insert into app.order_transitions (order_id, version, event, from_status, to_status, by_label, by_name, reason, detail, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
