select site, point, number, hour, readings, first_at, last_at, tick
from analysts.late_readings
where tenant_id = $1
  and ($2::text is null or site = $2)
  and ($3::text is null or point = $3)
  and ($4::timestamptz is null or hour >= $4)
  and ($5::timestamptz is null or hour < $5)
  and ($6::timestamptz is null or (hour, number) < ($6, $7))
order by hour desc, number desc
limit $8
