delete from app.holidays where calendar_id = $1
