insert into app.order_transitions (order_id, version, event, from_status, to_status, by_label, by_name, reason, at)
select order_id, version, event, from_status, to_status, 'demo:' || lower(by_name), by_name, reason, at
from jsonb_populate_recordset(null::app.order_transitions, $1)
