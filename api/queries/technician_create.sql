insert into app.technicians (tenant_id, user_id, name, phone, discipline, active) values ($1, $2, $3, $4, $5, $6) returning id
