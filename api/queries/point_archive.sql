update app.points set archived_at = now(), version = version + 1, updated_at = now()
where id = $1
returning id, number, site_id as site, position_id as position, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms, version, created_at, updated_at
