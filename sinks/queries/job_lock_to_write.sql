-- Keeps out other writers of this job and those who open it, but not the bindings, which are minted meanwhile.
select generation, durable_tick, history_tick
from derived.jobs
where job = $1
for no key update
