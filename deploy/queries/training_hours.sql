-- Hours of the points of a class whose kinds a model looks at.
select point.site_id, point.position_id, point.number, point.kind, hour.start, hour.mean, hour.stddev
from derived.rollups_1h as hour
join app.points as point on point.number = hour.point and point.archived_at is null
join app.positions as position on position.id = point.position_id
where position.class = $1 and point.kind = any ($2) and hour.start >= $3 and hour.start < $4 and hour.n > 0
order by point.number, hour.start
