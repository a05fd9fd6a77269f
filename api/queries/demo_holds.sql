insert into app.order_holds (order_id, from_at, to_at, reason)
select order_id, from_at, to_at, reason
from jsonb_populate_recordset(null::app.order_holds, $1)
