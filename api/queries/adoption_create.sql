insert into app.adoptions (tenant_id, keys, points, outbox_seq, requested_by) values ($1, $2, $3, $4, $5) returning id
