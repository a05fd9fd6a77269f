-- How far the sealed files reach, and whether this point has said something since.
with reach as (
    select coalesce(min(history_tick), 0) as history_tick, coalesce(max(durable_tick), 0) as durable_tick from derived.jobs
),
newest as (
    select at, tick from derived.latest where point = $1
)
select reach.history_tick, reach.durable_tick, coalesce((select tick from newest) > reach.history_tick, false) as missing,
       (select at from newest) as newest_at
from reach
