-- What was refused and is sent through again, once: what adopted points had said before anyone knew them, and what was refused for a
-- reason that is mended. One row per request. app.adoptions and app.adoption_files are no longer written; their rows are copied here.
create table app.resends (
    id           uuid primary key default gen_random_uuid(),
    tenant_id    uuid not null references app.tenants,
    kind         text not null check (kind in ('adoption', 'replay')),
    state        text not null default 'waiting' check (state in ('waiting', 'sending', 'done', 'failed')),
    -- what is sent: of these reasons, and where they are said of these keys, this job, this partition, refused in this time
    reasons      text[] not null,
    keys         text[],
    job          text,
    partition    int,
    since        timestamptz,
    before       timestamptz,
    -- points that an adoption made
    points       int not null default 0,
    -- the outbox row after which the engine knows what people had changed; null: there was none
    outbox_seq   bigint,
    -- sent through again, and left alone because another request had sent them
    sent         bigint not null default 0,
    skipped      bigint not null default 0,
    failure      text,
    requested_by text not null,
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    finished_at  timestamptz
);
create index resends_unfinished on app.resends (created_at) where finished_at is null;

-- The files of a request as they were durable when it started, and how far each was sent.
create table app.resend_files (
    resend_id   uuid not null references app.resends on delete cascade,
    job         text not null,
    number      int not null,
    bytes_total bigint not null,
    bytes       bigint not null default 0,
    -- the batch under way: where it ends, and where its partitions ended before anybody tried to send it
    batch_upto  bigint,
    batch_ends  jsonb,
    primary key (resend_id, job, number)
);

-- Every refused reading that was ever sent again, by where it first came from: bit n of `offsets` is offset 1024 * block + n.
-- place is the reading's in its message, -1 where all of the message was refused.
create table app.resent (
    source    text not null,   -- cluster/topic/topic id
    partition int not null,
    place     int not null,
    block     bigint not null,
    offsets   bytea not null,
    primary key (source, partition, place, block)
);

-- How far the files of rejects were published to dcmms.rejects.
create table app.rejects_published (
    job    text primary key,
    number int not null,
    bytes  bigint not null
);

insert into app.resends (id, tenant_id, kind, state, reasons, keys, points, outbox_seq, sent, failure, requested_by, created_at, finished_at)
select id, tenant_id, 'adoption', case when state = 'sending' then 'waiting' else state end, '{unknown_point}', keys, points, outbox_seq,
       readings, failure, requested_by, created_at, finished_at
from app.adoptions;
insert into app.resend_files (resend_id, job, number, bytes_total, bytes)
select adoption_id, substring(file from '^(.*)\.\d+\.ndjson$'), substring(file from '\.(\d+)\.ndjson$')::int, bytes, bytes
from app.adoption_files
where file ~ '^.+\.\d{1,9}\.ndjson$';
