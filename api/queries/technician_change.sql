update app.technicians
set user_id = $2, name = $3, phone = $4, discipline = $5, active = $6, archived_at = $7, version = version + 1, updated_at = now()
where id = $1
