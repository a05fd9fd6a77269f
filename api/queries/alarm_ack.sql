update app.alarm_handling set acked_at = $2, acked_by = $3, version = version + 1, updated_at = $2 where alarm_id = $1
