select on_hand - reserved from app.stock_levels where tenant_id = $1 and part = $2 and store = $3 for update
