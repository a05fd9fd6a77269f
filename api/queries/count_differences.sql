select line.part, part.number, line.counted - line.expected as difference, part.average_cost, coalesce(level.on_hand, 0) as on_hand,
    coalesce(level.reserved, 0) as reserved
from app.cycle_count_lines line
join app.parts part on part.id = line.part
left join lateral (select on_hand, reserved from app.stock_levels where stock_levels.part = line.part and store = $2 for update) level on true
where line.count = $1
order by line.part
