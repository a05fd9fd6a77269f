-- The lock waits for one who opens the job and then finds another generation: no row, and the caller stops.
with fence as (
    select job from derived.jobs where job = $1 and generation = $2 for key share
), inserted as (
    insert into derived.bindings (job, tick, generation, clock, upto, watermarks, idle)
    select fence.job, b.tick, b.generation, b.clock, b.upto, b.watermarks, b.idle
    from fence, jsonb_to_recordset($3) as b (tick bigint, generation bigint, clock bigint, upto bigint[], watermarks bigint[], idle boolean[])
    on conflict (job, tick) do nothing
)
select count(*) from fence
