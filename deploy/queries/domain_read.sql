-- Whether every running job has bound the domain events of a topic up to an offset.
select coalesce(bool_and(newest.upto[source.nth] >= $2), true)
from derived.jobs as job
cross join lateral jsonb_array_elements(job.sources) with ordinality as source (partition, nth)
cross join lateral (
    select upto
    from derived.bindings as binding
    where binding.job = job.job
    order by tick desc
    limit 1
) as newest
where job.state = 'running' and (source.partition ->> 'domain')::boolean and source.partition -> 'source' ->> 'topic' = $1
