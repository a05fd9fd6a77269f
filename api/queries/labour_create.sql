insert into app.labour_entries (order_id, technician_id, person, activity, from_at, to_at, source)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, technician_id, person, activity, from_at, to_at, source
