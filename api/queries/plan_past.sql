select place.id as position, max(occurrence.due_at) as last_due, max(occurrence.done_at) as last_done, max(occurrence.due_meter) as last_meter,
    coalesce(bool_or(occurrence.status in ('due', 'generated')), false) as open
from unnest($2::uuid[]) as place (id)
left join app.pm_occurrences occurrence on occurrence.plan = $1 and occurrence.position = place.id
group by place.id
