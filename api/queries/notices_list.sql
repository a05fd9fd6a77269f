select id, order_id, alarm_id, kind, text, at, read_at, read_by
from app.notices
where tenant_id = $1 and ($2 or read_at is null) and ($3::timestamptz is null or (at, id) < ($3, $4))
order by at desc, id desc
limit $5
