insert into app.meter_readings (tenant_id, meter, at, value, total, reset, source, note, by_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id, at, value, total, reset, source, note, by_name
