select job, state, generation, durable_tick, durable_clock, watermark, history_tick, workers, started_at, updated_at, failure
from derived.jobs
where $1::text is null or job = $1
order by job
