select id, kind, status, valid_from, valid_to, issuer, hazards, version, updated_at from app.permits where order_id = $1 order by kind, id
