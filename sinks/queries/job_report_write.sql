-- Only the generation that has the job speaks of it.
insert into derived.job_reports (job, generation, at, report)
select job, generation, now(), $3
from derived.jobs
where job = $1 and generation = $2
on conflict (job) do update set generation = excluded.generation, at = excluded.at, report = excluded.report
