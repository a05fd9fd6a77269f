select p.id as point, p.key, a.at, a.score, a.value, a.expected, a.tick
from derived.anomalies a
join app.points p on p.number = a.point
where p.tenant_id = $1
  and ($2::uuid is null or p.site_id = $2)
  and ($3::uuid is null or p.id = $3)
  and ($4::timestamptz is null or a.at >= $4)
  and ($5::timestamptz is null or a.at < $5)
  and ($6::timestamptz is null or (a.at, p.key) < ($6, $7))
order by a.at desc, p.key desc
limit $8
