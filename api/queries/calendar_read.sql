select c.id, c.name, c.zone, c.openings,
       (
           select coalesce(jsonb_agg(jsonb_build_object('date', h.date, 'name', h.name) order by h.date), '[]')
           from app.holidays h
           where h.calendar_id = c.id
       ) as holidays,
       c.version, c.created_at, c.updated_at
from app.calendars c
where c.tenant_id = $1 and c.id = $2 and c.archived_at is null
