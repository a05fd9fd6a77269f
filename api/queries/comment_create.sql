insert into app.order_comments (order_id, kind, text, by_label, by_name, at) values ($1, $2, $3, $4, $5, $6)
returning id, kind, text, by_name, at
