select id, site_id as site, parent_id as parent, code, name, class, rated_kw, criticality, version, created_at, updated_at
from app.positions
where tenant_id = $1 and archived_at is null
  and ($2::uuid is null or site_id = $2)
  and ($3::uuid is null or parent_id = $3)
  and ($4::text[] is null or class = any ($4))
  and ($5::text is null or (code, id) > ($5, $6))
order by code, id
limit $7
