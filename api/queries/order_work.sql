-- What was spent on an order, as the guards count it.
select (select count(*) from app.labour_entries where order_id = $1) as labour_entries,
    (select count(*) from app.labour_entries where order_id = $1 and to_at is null) as labour_running,
    (select count(*) from app.part_lines where order_id = $1) as part_lines,
    (select count(*) from app.part_lines where order_id = $1 and unit_cost is null) as parts_unpriced
