insert into app.cycle_count_lines (count, part, expected, counted)
select $1, found.part, coalesce(level.on_hand, 0), found.counted
from unnest($3::uuid[], $4::numeric[]) as found (part, counted)
left join app.stock_levels level on level.part = found.part and level.store = $2
