insert into app.resends (tenant_id, kind, reasons, keys, job, partition, since, before, outbox_seq, requested_by)
select $1, 'replay', $2, $3, $4, $5, $6, $7, max(seq), $8
from app.outbox
returning id
