-- The moving average over all stores, before the level changes.
update app.parts part
set average_cost = case when held.quantity > 0 and part.average_cost is not null
        then round((held.quantity * part.average_cost + $2::numeric * $3::numeric) / (held.quantity + $2::numeric), 4) else $3::numeric end,
    version = version + 1, updated_at = $4
from (select coalesce(sum(on_hand), 0) as quantity from app.stock_levels where part = $1) held
where part.id = $1
