select code, id
from app.sites
where archived_at is null
