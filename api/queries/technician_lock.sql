select version from app.technicians where tenant_id = $1 and id = $2 and archived_at is null for update
