insert into app.resends (tenant_id, kind, reasons, keys, points, outbox_seq, requested_by)
values ($1, 'adoption', '{unknown_point}', $2, $3, $4, $5)
returning id
