update app.alarm_handling set shelved_until = $2, shelve_reason = $3, shelved_by = $4, version = version + 1, updated_at = $5 where alarm_id = $1
