-- Finds a live key; notes the use at most once a minute. $2 is the idle time of sessions, which keys do not have.
with live as (
    select id, tenant_id, name, role, last_used_at
    from app.api_keys
    where secret_sha256 = $1 and revoked_at is null and (expires_at is null or expires_at > now()) and $2::double precision >= 0
),
noted as (
    update app.api_keys key set last_used_at = now()
    from live where key.id = live.id and (live.last_used_at is null or live.last_used_at < now() - interval '1 minute')
)
select tenant_id, id, name, role from live
