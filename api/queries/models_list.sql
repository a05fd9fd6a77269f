select m.id, m.name, m.class, m.failure, v.artifact, v.training, m.version, m.created_at, m.updated_at
from app.models m
join app.model_versions v on v.model_id = m.id and v.version = m.version
where m.tenant_id = $1 and m.archived_at is null
  and ($2::uuid is null or m.id = $2)
  and ($3::text is null or m.name > $3)
order by m.name
limit $4
