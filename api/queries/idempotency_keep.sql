-- A key older than 72 hours may be used anew; a hundred such rows are swept on the way.
with swept as (
    delete from app.idempotency_keys
    where ctid in (
        select ctid from app.idempotency_keys where created_at <= now() - interval '72 hours'
        and (tenant_id, principal, key) <> ($1, $2, $3)
        order by created_at limit 100 for update skip locked
    )
)
insert into app.idempotency_keys (tenant_id, principal, key, fingerprint, status, headers, body)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, principal, key) do update
set fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers, body = excluded.body, created_at = now()
