select id, state, points, sent as readings, failure, requested_by, created_at, finished_at
from app.resends
where tenant_id = $1 and id = $2 and kind = 'adoption'
