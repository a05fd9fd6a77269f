select id, text, by_name, at from app.alarm_comments where alarm_id = $1 order by at, id
