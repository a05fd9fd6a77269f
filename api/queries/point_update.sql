update app.points p
set position_id = input.position, name = input.name, kind = input.kind, unit = input.unit, counter = input.counter,
    range_min = input.range_min, range_max = input.range_max, horizon_ms = input.horizon_ms,
    version = version + 1, updated_at = now()
from jsonb_to_record($2) as input (
    position uuid, name text, kind text, unit text, counter boolean, range_min double precision, range_max double precision,
    horizon_ms bigint
)
where p.id = $1
returning p.id, p.number, p.site_id as site, p.position_id as position, p.key, p.name, p.kind, p.unit, p.counter, p.resolution, p.range_min, p.range_max, p.horizon_ms, p.version, p.created_at, p.updated_at
