select count(*) from app.asset_items where model = $1 and archived_at is null
