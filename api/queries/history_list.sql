select version, event, by_label, by_name, reason, detail, at
from app.changes
where tenant_id = $1 and entity = $2 and id = $3 and version < coalesce($4, 9223372036854775807)
order by version desc
limit $5
