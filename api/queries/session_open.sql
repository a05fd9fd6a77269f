-- Opens a session, forgets the failures before it, and sweeps what has expired.
with forgotten as (
    delete from app.login_failures where email = lower($4)
),
swept as (
    delete from app.sessions where expires_at < now()
)
insert into app.sessions (token_sha256, user_id, expires_at)
values ($1, $2, now() + make_interval(secs => $3))
returning expires_at
