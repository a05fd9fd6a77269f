select id, kind, text, by_name, at from app.order_comments where order_id = $1 order by at, id
