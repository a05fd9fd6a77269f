insert into app.sites (code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, code) where archived_at is null do nothing
returning id, poa_threshold
