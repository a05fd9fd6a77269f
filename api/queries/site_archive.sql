update app.sites set archived_at = now(), version = version + 1, updated_at = now()
where id = $1
returning id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold, version, created_at, updated_at
