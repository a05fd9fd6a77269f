select id, part, quantity, unit_cost, serial, at from app.part_lines where order_id = $1 order by at, id
