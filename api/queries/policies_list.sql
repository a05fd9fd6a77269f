select id, name, rank, calendar_id, order_types, priorities, sites, targets, valid_from, version, created_at, updated_at
from app.sla_policies
where tenant_id = $1 and archived_at is null
  and ($2::uuid is null or id = $2)
  and ($3::int is null or (rank, id) > ($3, $4))
order by rank, id
limit $5
