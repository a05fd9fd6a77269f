-- No row: another generation has the job. One at a stop may be complete together with the one before it.
with fence as (
    select job from derived.jobs where job = $1 and generation = $2 for key share
)
update derived.checkpoints as c set state = 'complete', complete_at = now()
from fence
where c.job = fence.job and c.state = 'written' and c.tick <= $3
