select exists (select from app.models where name = $1 and archived_at is null)
