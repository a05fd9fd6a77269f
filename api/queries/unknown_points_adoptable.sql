-- The unknown keys asked for, by name or by how they begin.
select u.key
from derived.unknown_points u
where not exists (select from app.points p where p.tenant_id = $1 and p.key = u.key and p.archived_at is null)
  and (u.key = any ($2) or starts_with(u.key, $3))
order by u.key
limit $4
