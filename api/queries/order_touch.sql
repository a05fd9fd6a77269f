update app.work_orders set touched_at = coalesce(touched_at, $2) where id = $1
