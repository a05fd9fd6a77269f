update app.notices set read_at = coalesce(read_at, $3), read_by = coalesce(read_by, $4)
where tenant_id = $1 and id = $2
returning id, order_id, alarm_id, kind, text, at, read_at, read_by
