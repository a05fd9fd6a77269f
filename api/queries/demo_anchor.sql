select created_at
from app.sites
where code = $1 and archived_at is null
