select version from app.work_orders where tenant_id = $1 and id = $2 for update
