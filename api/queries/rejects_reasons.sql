-- By reason and partition; hours are those of the clock, counted whole.
select r.reason, r.job, j.sources -> r.source -> 'source' ->> 'topic' as topic, (j.sources -> r.source ->> 'partition')::int as partition,
       sum(r.n)::bigint as n, min(r.first_offset) as first_offset, max(r.last_offset) as last_offset,
       min(r.hour) as first_hour, max(r.hour) as last_hour, (array_agg(r.detail order by r.tick desc))[1] as detail
from derived.rejects r
join derived.jobs j on j.job = r.job
where ($1::text[] is null or r.reason = any ($1)) and ($2::text is null or r.job = $2)
group by r.reason, r.job, r.source, j.sources
order by r.reason, r.job, r.source
