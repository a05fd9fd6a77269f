insert into app.job_stops (job, generation, drain, requested_by)
select job, generation, $2, $3
from derived.jobs
where job = $1 and state = 'running'
on conflict (job) do update set
    generation = excluded.generation, drain = excluded.drain, requested_by = excluded.requested_by, requested_at = now()
returning job
