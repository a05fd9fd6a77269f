update app.positions set archived_at = now(), version = version + 1, updated_at = now()
where id = $1
returning id, site_id as site, parent_id as parent, code, name, class, rated_kw, criticality, version, created_at, updated_at
