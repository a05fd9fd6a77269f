-- The oldest whose fix the engine knows: what people had changed is published, and a tick minted two seconds later is durable in every job
-- that runs. An outbox row that is gone was published.
select r.id, r.reasons, r.keys, r.job, r.partition, r.since, r.before, r.started_at is not null as started
from app.resends r
left join app.outbox o on o.seq = r.outbox_seq
where r.finished_at is null
  and (o.seq is null
       or (o.published_at is not null
           and exists (select from derived.jobs j where j.durable_clock > o.published_at + interval '2 seconds')
           and not exists (select from derived.jobs j
                           where j.state = 'running'
                             and coalesce(j.durable_clock, '-infinity') <= o.published_at + interval '2 seconds')))
order by r.created_at, r.id
limit 1
