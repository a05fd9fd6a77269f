select exists (select from app.asset_classes where tenant_id = $1 and code = $2 and archived_at is null)
