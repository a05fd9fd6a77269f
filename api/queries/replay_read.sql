select r.id, r.kind, r.state, r.reasons, r.keys, r.job, r.partition, r.since, r.before, r.sent, r.skipped,
       coalesce(f.bytes, 0)::bigint as bytes, coalesce(f.bytes_total, 0)::bigint as bytes_total,
       r.failure, r.requested_by, r.created_at, r.started_at, r.finished_at
from app.resends r
left join lateral (
    select sum(bytes) as bytes, sum(bytes_total) as bytes_total from app.resend_files where resend_id = r.id
) f on true
where r.tenant_id = $1 and r.id = $2
