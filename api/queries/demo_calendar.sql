with calendar as (
    insert into app.calendars (id, name, zone, openings)
    values ($1, $2, $3, $4)
    returning id
)
insert into app.holidays (calendar_id, date, name)
select calendar.id, holiday.date, holiday.name
from calendar, jsonb_to_recordset($5) as holiday (date date, name text)
