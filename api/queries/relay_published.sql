update app.outbox set published_at = clock_timestamp() where seq = any ($1)
