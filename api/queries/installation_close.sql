update app.installations set to_at = $2 where item = $1 and to_at is null
