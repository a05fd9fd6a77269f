-- The whole list anew; two statements see one snapshot, so what stays is kept by the upsert.
with gone as (
    delete from app.technician_skills held
    where held.technician_id = $1
      and not exists (select from unnest($2::text[], $4::date[]) said (skill, valid_from)
          where said.skill = held.skill and coalesce(said.valid_from, '-infinity') = held.valid_from)
)
insert into app.technician_skills (technician_id, skill, issuer, valid_from, valid_to)
select $1, skill, issuer, coalesce(valid_from, '-infinity'), coalesce(valid_to, 'infinity')
from unnest($2::text[], $3::text[], $4::date[], $5::date[]) said (skill, issuer, valid_from, valid_to)
on conflict (technician_id, skill, valid_from) do update set issuer = excluded.issuer, valid_to = excluded.valid_to
