insert into app.permits (order_id, kind, status, valid_from, valid_to, issuer, hazards, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning id, kind, status, valid_from, valid_to, issuer, hazards, version, updated_at
