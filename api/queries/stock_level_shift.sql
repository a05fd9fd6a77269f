update app.stock_levels set on_hand = on_hand + $3, reserved = reserved + $4 where part = $1 and store = $2
