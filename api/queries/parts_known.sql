select count(*) from app.parts where tenant_id = $1 and id = any ($2) and archived_at is null
