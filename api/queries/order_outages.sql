-- Orders that take the position out in the window; the position is locked so that two cannot be planned at once.
with position as (
    select id from app.positions where id = $1 for update
)
select number from app.work_orders other, position
where other.position_id = position.id and other.id <> $2 and other.requires_outage
  and other.status in ('scheduled', 'assigned', 'in_progress', 'on_hold')
  and other.planned_from < $4 and other.planned_to > $3
order by number
