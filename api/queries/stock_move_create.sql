insert into app.stock_moves (tenant_id, kind, part, store, quantity, unit_cost, work_order, reservation, cycle_count, lot, serial, note, by_name, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
returning id
