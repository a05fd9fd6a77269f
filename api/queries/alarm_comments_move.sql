update app.alarm_comments set alarm_id = $2 where alarm_id = $1
