-- Finds a live session's user; notes the use at most once a minute.
with live as (
    select session.token_sha256, session.last_used_at, u.tenant_id, u.id, u.email, u.role
    from app.sessions session
    join app.users u on u.id = session.user_id
    where session.token_sha256 = $1
      and session.expires_at > now()
      and session.last_used_at > now() - make_interval(secs => $2)
      and u.status = 'active'
),
noted as (
    update app.sessions session set last_used_at = now()
    from live where session.token_sha256 = live.token_sha256 and live.last_used_at < now() - interval '1 minute'
)
select tenant_id, id, email as name, role from live
