-- What each point names, in the order given. $3 is the point that has the key already because it is that one.
select exists (select from app.sites s where s.tenant_id = $1 and s.id = input.site and s.archived_at is null) as site_exists,
       input.position is null or exists (
           select from app.positions p where p.id = input.position and p.site_id = input.site and p.archived_at is null
       ) as position_fits,
       exists (
           select from app.points point
           where point.tenant_id = $1 and point.key = input.key and point.archived_at is null and point.id is distinct from $3
       ) as key_taken
from rows from (jsonb_to_recordset($2) as (site uuid, position uuid, key text)) with ordinality as input (site, position, key, nth)
order by input.nth
