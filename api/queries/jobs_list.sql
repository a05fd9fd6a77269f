select job, state, failure, generation, durable_tick, durable_clock, watermark,
       extract(epoch from now() - durable_clock)::double precision as lag_s,
       history_tick, workers, started_at, updated_at
from derived.jobs
order by job
