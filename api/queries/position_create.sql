insert into app.positions (tenant_id, site_id, parent_id, code, name, class, rated_kw, criticality)
select $1, site, parent, code, name, class, rated_kw, criticality
from jsonb_to_record($2) as input (site uuid, parent uuid, code text, name text, class text, rated_kw double precision, criticality text)
on conflict do nothing
returning id, site_id as site, parent_id as parent, code, name, class, rated_kw, criticality, version, created_at, updated_at
