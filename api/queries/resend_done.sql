update app.resends set state = 'done', failure = null, finished_at = now() where id = $1
