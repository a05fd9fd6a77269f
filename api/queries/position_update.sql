update app.positions p
set parent_id = input.parent, code = input.code, name = input.name, class = input.class, rated_kw = input.rated_kw,
    criticality = input.criticality, version = version + 1, updated_at = now()
from jsonb_to_record($2) as input (parent uuid, code text, name text, class text, rated_kw double precision, criticality text)
where p.id = $1
returning p.id, p.site_id as site, p.parent_id as parent, p.code, p.name, p.class, p.rated_kw, p.criticality, p.version, p.created_at, p.updated_at
