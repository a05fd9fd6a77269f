-- The sources of a tick are numbered from 0 without a gap, so their order is their place.
with said as (
    select tick, array_agg(hash order by source) as inputs
    from unnest($2::bigint[], $3::int[], $4::bigint[]) as s (tick, source, hash)
    group by tick
)
update derived.bindings as b set inputs = said.inputs
from said
where b.job = $1 and b.tick = said.tick
