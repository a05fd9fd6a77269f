insert into app.technician_skills (technician_id, skill, issuer, valid_from, valid_to)
select technician_id, skill, issuer, valid_from, valid_to
from jsonb_populate_recordset(null::app.technician_skills, $1)
