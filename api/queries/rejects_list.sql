with rejects as (
    select r.job, r.source, j.sources -> r.source -> 'source' ->> 'topic' as topic, (j.sources -> r.source ->> 'partition')::int as partition,
           r.reason, r.hour, r.n, r.first_offset, r.last_offset, r.file, r.detail, r.tick
    from derived.rejects r
    join derived.jobs j on j.job = r.job
)
select job, source, topic, partition, reason, hour, n, first_offset, last_offset, file, detail, tick
from rejects
where ($1::text[] is null or reason = any ($1))
  and ($2::int is null or partition = $2)
  and ($3::timestamptz is null or hour >= $3)
  and ($4::timestamptz is null or hour < $4)
  and ($5::timestamptz is null or (hour, job, source, reason) < ($5, $6, $7, $8))
order by hour desc, job desc, source desc, reason desc
limit $9
