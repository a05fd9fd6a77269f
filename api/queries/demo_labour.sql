insert into app.labour_entries (order_id, technician_id, person, activity, from_at, to_at)
select order_id, technician_id, person, activity, from_at, to_at
from jsonb_populate_recordset(null::app.labour_entries, $1)
