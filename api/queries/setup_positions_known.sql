select site_id, code, id
from app.positions
where archived_at is null
