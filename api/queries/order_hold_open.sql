insert into app.order_holds (order_id, from_at, reason, note) values ($1, $2, $3, $4)
