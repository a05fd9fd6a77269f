update app.permits
set kind = $3, status = $4, valid_from = $5, valid_to = $6, issuer = $7, hazards = $8, updated_at = $9, version = version + 1
where order_id = $1 and id = $2
returning id, kind, status, valid_from, valid_to, issuer, hazards, version, updated_at
