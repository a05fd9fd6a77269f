select j.job, j.state, j.failure, j.generation, j.durable_tick, j.durable_clock, j.watermark,
       extract(epoch from now() - j.durable_clock)::double precision as lag_s,
       j.history_tick, j.workers, j.started_at, j.updated_at,
       s.requested_by as stop_requested_by, s.requested_at as stop_requested_at, s.drain as stop_drains
from derived.jobs j
left join app.job_stops s on s.job = j.job and s.generation = j.generation
where $1::text is null or j.job = $1
order by j.job
