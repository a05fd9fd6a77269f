select id from app.positions where tenant_id = $1 and id = $2 for update
