insert into app.sites (tenant_id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
returning id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold, version, created_at, updated_at
