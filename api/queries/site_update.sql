update app.sites
set code = $2, name = $3, kind = $4, zone = $5, latitude = $6, longitude = $7, ac_kw = $8, dc_kwp = $9, poa_threshold = $10,
    version = version + 1, updated_at = now()
where id = $1
returning id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold, version, created_at, updated_at
