select technician.id, technician.user_id, technician.name, technician.phone, technician.discipline, technician.active, technician.version,
    technician.created_at, technician.updated_at,
    coalesce((
        select jsonb_agg(jsonb_build_object('skill', held.skill, 'issuer', held.issuer, 'valid_from', nullif(held.valid_from, '-infinity'),
            'valid_to', nullif(held.valid_to, 'infinity')) order by held.skill, held.valid_from)
        from app.technician_skills held where held.technician_id = technician.id
    ), '[]') as skills
from app.technicians technician
where technician.tenant_id = $1 and technician.archived_at is null
  and ($2::uuid is null or technician.id = $2)
  and ($3::text is null or (technician.name, technician.id) > ($3, $4))
order by technician.name, technician.id
limit $5
