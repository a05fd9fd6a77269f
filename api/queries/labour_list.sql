select id, technician_id, person, activity, from_at, to_at, source from app.labour_entries where order_id = $1 order by from_at, id
