select r.at, r.at < now() - interval '15 seconds' as silent, r.report
from derived.job_reports r
join derived.jobs j on j.job = r.job and j.generation = r.generation
where r.job = $1
