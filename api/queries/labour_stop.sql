update app.labour_entries set to_at = greatest($3, from_at + interval '1 second')
where order_id = $1 and id = $2 and to_at is null
returning id, technician_id, person, activity, from_at, to_at, source
