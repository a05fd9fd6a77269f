select u.key, u.n, u.first_at, u.last_at, u.tick
from derived.unknown_points u
where not exists (select from app.points p where p.tenant_id = $1 and p.key = u.key and p.archived_at is null)
  and ($2::text is null or starts_with(u.key, $2))
  and ($3::text is null or u.key > $3)
order by u.key
limit $4
