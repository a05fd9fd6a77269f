update app.rules set name = $2, version = version + 1, updated_at = now() where id = $1
