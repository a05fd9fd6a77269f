select fingerprint, status, headers, body
from app.idempotency_keys
where tenant_id = $1 and principal = $2 and key = $3 and created_at > now() - interval '72 hours'
