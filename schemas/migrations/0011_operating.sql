-- What analysts read: views whose names and columns stay, whatever becomes of the tables below them.
create schema analysts;

-- The books of every input partition, true as of durable_tick: nothing vanishes between Kafka and the tables.
create view analysts.books as
select b.job, j.sources -> b.source -> 'source' ->> 'topic' as topic, (j.sources -> b.source ->> 'partition')::int as partition,
       b.messages, b.decoded, b.unreadable, b.readings, b.accepted, b.duplicates, b.superseded, b.late, b.rejected,
       b.messages = b.decoded + b.unreadable
           and b.readings = b.accepted + b.duplicates + b.superseded + b.late + b.rejected as balanced,
       b.tick as changed_tick, j.durable_tick, j.durable_clock
from derived.books b
join derived.jobs j on j.job = b.job;

-- Readings that came too late for the correction horizon, by point and UTC hour: in the history, and awaiting restatement.
create view analysts.late_readings as
select p.tenant_id, s.code as site, p.key as point, l.point as number, l.hour, l.readings, l.first_at, l.last_at, l.tick
from derived.pending_restatements l
join app.points p on p.number = l.point
join app.sites s on s.id = p.site_id;

-- What was refused, by reason and partition.
create view analysts.rejects as
select r.job, j.sources -> r.source -> 'source' ->> 'topic' as topic, (j.sources -> r.source ->> 'partition')::int as partition,
       r.reason, sum(r.n)::bigint as n, min(r.first_offset) as first_offset, max(r.last_offset) as last_offset,
       min(r.hour) as first_hour, max(r.hour) as last_hour
from derived.rejects r
join derived.jobs j on j.job = r.job
group by r.job, r.source, j.sources, r.reason;

-- What a running job says of itself, each second or two: lag, watermarks, memory, operators (schemas::job::Report).
create table derived.job_reports (
    job        text primary key references derived.jobs,
    generation bigint not null,
    at         timestamptz not null,
    report     jsonb not null
) with (fillfactor = 50);

-- That a job is to stop; it looks here. Good for the process that runs generation or a later one it starts itself.
create table app.job_stops (
    job          text primary key,
    generation   bigint not null,
    -- true: only once all is durable that the topics held when the job read this
    drain        boolean not null,
    requested_by text not null,
    requested_at timestamptz not null default now()
);
