-- What the domain did with the engine's commands: the row is written in the transaction that carried the command out.
create table app.command_results (
    command_id uuid primary key,
    outcome    text not null check (outcome in ('done', 'nothing_to_do', 'failed')),
    detail     text not null,
    order_id   uuid,
    at         timestamptz not null default now()
);

-- Commands that failed and will be tried again.
create table app.command_attempts (
    command_id uuid primary key,
    attempts   int not null,
    failure    text not null,
    next_at    timestamptz not null
);

-- The topics that were told everything from the beginning, and how far each was told.
create table app.relay_targets (
    cluster_id text not null,
    topic_id   text not null,
    topic      text not null,
    -- outbox rows up to here are part of the snapshot
    snapshot_seq bigint not null,
    seq        bigint not null,
    at         timestamptz not null default now(),
    primary key (cluster_id, topic_id)
);
