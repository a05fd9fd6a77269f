select p.id, p.parent_id as parent, p.code, p.name, p.class, count(point.id) as points
from app.positions p
left join app.points point on point.position_id = p.id and point.archived_at is null
where p.site_id = $1 and p.archived_at is null
group by p.id
order by p.code
limit $2
