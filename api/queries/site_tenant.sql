select tenant_id from app.sites where id = $1
