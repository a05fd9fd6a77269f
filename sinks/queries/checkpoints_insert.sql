-- No row: another generation has the job.
with fence as (
    select job from derived.jobs where job = $1 and generation = $2 for key share
)
insert into derived.checkpoints (job, tick, generation, turn, state, binding, chain, files, bytes)
select fence.job, $3, $2, $4, 'written',
    jsonb_build_object('tick', b.tick, 'generation', b.generation, 'clock', b.clock, 'upto', to_jsonb(b.upto),
        'watermarks', to_jsonb(b.watermarks), 'idle', to_jsonb(b.idle)),
    $5, $6, $7
from fence join derived.bindings as b on b.job = fence.job and b.tick = $3
on conflict (job, tick) do update set files = excluded.files
