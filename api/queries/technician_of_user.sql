select id from app.technicians where user_id = $1 and active and archived_at is null
