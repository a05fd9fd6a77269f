-- Sites by code, with those of their positions that are named.
select s.code as site_code, s.id as site, p.code as position_code, p.id as position
from app.sites s
left join app.positions p on p.site_id = s.id and p.archived_at is null and p.code = any ($3)
where s.tenant_id = $1 and s.archived_at is null and (s.code = any ($2) or s.id = $4)
