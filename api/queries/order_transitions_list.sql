select version, event, from_status, to_status, by_label, by_name, reason, detail, at
from app.order_transitions
where order_id = $1
order by version
