with wanted as (
    select part.id as part, part.number, part.name, part.available, part.reorder_point, part.max_quantity, part.safety_stock, part.lead_time_days,
        coalesce((select sum(quantity) from app.reservations held where held.part = part.id and held.status = 'backordered'), 0) as backordered,
        0::numeric as on_order
    from app.part_rows part
    where part.tenant_id = $1 and part.archived_at is null and part.reorder_point is not null and ($2::text is null or part.number > $2)
)
select part, number, name, available, backordered, on_order, reorder_point, lead_time_days,
    greatest(coalesce(max_quantity, reorder_point + coalesce(safety_stock, 0)), reorder_point) - (available + on_order - backordered) as suggested
from wanted
where available + on_order - backordered <= reorder_point
order by number
limit $3
