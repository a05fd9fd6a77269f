select from app.calendars where tenant_id = $1 and id = $2 and archived_at is null for update
