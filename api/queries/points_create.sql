with created as (
    insert into app.points (tenant_id, site_id, position_id, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms)
    select $1, input.site, input.position, input.key, input.name, input.kind, input.unit, input.counter, input.resolution,
           input.range_min, input.range_max, input.horizon_ms
    from rows from (
        jsonb_to_recordset($2) as (
            site uuid, position uuid, key text, name text, kind text, unit text, counter boolean, resolution double precision,
            range_min double precision, range_max double precision, horizon_ms bigint
        )
    ) with ordinality as input (site, position, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms, nth)
    order by input.nth
    returning *
)
select id, number, site_id as site, position_id as position, key, name, kind, unit, counter, resolution, range_min, range_max, horizon_ms, version, created_at, updated_at
from created
order by number
