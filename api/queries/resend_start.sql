update app.resends set state = 'sending', started_at = now() where id = $1
