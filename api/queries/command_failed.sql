insert into app.command_attempts (command_id, attempts, failure, next_at) values ($1, 1, $2, $3)
on conflict (command_id) do update set attempts = app.command_attempts.attempts + 1, failure = excluded.failure, next_at = excluded.next_at
