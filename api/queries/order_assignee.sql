-- A technician as the guards of assign see them, locked so that two orders cannot book one person at once.
-- Certificates must cover every site-local day of the window.
select technician.name, technician.active and technician.archived_at is null as active,
    array(
        select skill from unnest($3::text[]) as skill
        where not exists (
            select from app.technician_skills held
            where held.technician_id = technician.id and held.skill = skill.skill
              and held.valid_from <= ($4 at time zone $7)::date and held.valid_to >= ($5 at time zone $7)::date
        )
    ) as skills_missing,
    array(
        select number from app.work_orders other
        where other.assignee_id = technician.id and other.id <> $6 and other.status in ('assigned', 'in_progress', 'on_hold')
          and other.planned_from < $5 and other.planned_to > $4
        order by number
    ) as booked_by
from app.technicians technician
where technician.tenant_id = $1 and technician.id = $2
for update of technician
