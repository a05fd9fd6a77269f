insert into app.technicians (id, name, phone, discipline)
select id, name, phone, discipline
from jsonb_populate_recordset(null::app.technicians, $1)
