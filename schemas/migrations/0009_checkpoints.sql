-- Checkpoints of the engine's state: the files lie in a directory or an S3 store, what they are is said here.
create table derived.checkpoints (
    job         text not null references derived.jobs,
    tick        bigint not null,     -- the last one that is in it
    generation  bigint not null,
    turn        bigint not null,     -- its place in a row; the first of a row, 0, is whole
    -- written: the files are stored; complete: what was said up to its tick is durable too, and a start may go on from it
    state       text not null check (state in ('written', 'complete')),
    binding     jsonb not null,      -- of its tick
    chain       bigint[] not null,   -- the checkpoints that it takes to read this one, oldest first, itself last
    files       jsonb not null,      -- path in the store, bytes, hash of the index at its end, which has a hash of each block
    bytes       bigint not null,     -- of its own files
    created_at  timestamptz not null default now(),
    complete_at timestamptz,
    primary key (job, tick)
);

-- Hashes of what each source held at a tick, by its place in derived.jobs.sources: a replay must read the same.
alter table derived.bindings add column inputs bigint[];

-- Set by who wants a checkpoint (`dcmms job checkpoint`), taken back by the job.
alter table derived.jobs add column checkpoint_asked_at timestamptz;
