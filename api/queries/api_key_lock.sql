select version from app.api_keys where tenant_id = $1 and id = $2 and revoked_at is null for update
