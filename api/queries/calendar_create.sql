insert into app.calendars (tenant_id, name, zone, openings) values ($1, $2, $3, $4) on conflict do nothing returning id
