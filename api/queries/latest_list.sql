select p.id as point, p.key, p.unit, l.at, l.value,
       case l.quality when 0 then 'good' when 1 then 'uncertain' when 2 then 'bad' end as quality,
       s.score, l.tick
from app.points p
left join derived.latest l on l.point = p.number
left join derived.scores s on s.point = p.number
where p.tenant_id = $1 and p.archived_at is null
  and ($2::uuid is null or p.site_id = $2)
  and ($3::text[] is null or p.key = any ($3))
  and ($4::text is null or p.key > $4)
order by p.key
limit $5
