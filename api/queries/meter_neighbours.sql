-- The readings right before and right after a moment.
select before.at as before_at, before.value as before, before.total as before_total, after.at as after_at, after.value as after, after.reset as after_reset
from (select) one
left join lateral (select at, value, total from app.meter_readings where meter = $1 and at < $2 order by at desc limit 1) before on true
left join lateral (select at, value, reset from app.meter_readings where meter = $1 and at > $2 order by at limit 1) after on true
