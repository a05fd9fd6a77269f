select id, at, value, total, reset, source, note, by_name
from app.meter_readings
where meter = $1 and ($2::timestamptz is null or at < $2)
order by at desc
limit $3
