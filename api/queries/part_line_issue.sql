insert into app.part_lines (order_id, reservation, part, quantity, unit_cost, serial, at) values ($1, $2, $3, $4, $5, $6, $7)
