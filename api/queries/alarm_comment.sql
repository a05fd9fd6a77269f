insert into app.alarm_comments (alarm_id, text, by_label, by_name, at) values ($1, $2, $3, $4, $5)
