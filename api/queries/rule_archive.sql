update app.rules set archived_at = now() where id = $1
