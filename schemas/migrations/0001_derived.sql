-- What the engine says. The sinks are the only writers; everything here can be made anew from the history.
create schema derived;

-- One row per job: the fence (generation), how far its tables are true (durable_tick), and what it is (fingerprint).
create table derived.jobs (
    job             text primary key,
    generation      bigint not null default 0,
    durable_tick    bigint not null default 0,
    durable_clock   timestamptz,
    -- the event time up to which the least advanced, not idle partition is complete
    watermark       timestamptz,
    fingerprint     jsonb not null default '{}',
    -- input partitions in their fixed order, see schemas::binding::Sources
    sources         jsonb not null default '[]',
    -- readings of ticks up to here are in sealed Parquet files
    history_tick    bigint not null default 0,
    -- the append-only file of rejected bytes and the length that is durable; the rest is cut off at a start
    rejects_file    text,
    rejects_bytes   bigint not null default 0,
    state           text not null default 'created' check (state in ('created', 'running', 'stopped', 'failed')),
    failure         text,
    workers         int,
    started_at      timestamptz,
    updated_at      timestamptz not null default now()
);

-- tick -> what it contains, for ever; durable before any output of the tick
create table derived.bindings (
    job         text not null references derived.jobs,
    tick        bigint not null,
    generation  bigint not null,
    clock       bigint not null,   -- microseconds
    upto        bigint[] not null,
    watermarks  bigint[] not null, -- microseconds; -9223372036854775808: nothing seen
    idle        boolean[] not null,
    primary key (job, tick)
);

create table derived.latest (
    point    int primary key,
    at       timestamptz not null,
    value    double precision not null,
    quality  smallint not null,
    tick     bigint not null
) with (fillfactor = 50);

-- 1 m, 15 m (UTC), 1 h, 1 d (site-local). The sink adds partitions by time: a day each for 1 m, a month for 15 m
-- and 1 h, a year for 1 d.
create table derived.rollups_1m (
    point       int not null,
    start       timestamptz not null,
    n           bigint not null,
    n_uncertain bigint not null,
    n_bad       bigint not null,
    min         double precision,
    max         double precision,
    mean        double precision,
    stddev      double precision,
    first       double precision,
    first_at    timestamptz,
    last        double precision,
    last_at     timestamptz,
    tick        bigint not null,
    primary key (point, start)
) partition by range (start);
create table derived.rollups_15m (like derived.rollups_1m including all) partition by range (start);
create table derived.rollups_1h (like derived.rollups_1m including all) partition by range (start);
create table derived.rollups_1d (like derived.rollups_1m including all) partition by range (start);

create table derived.scores (
    point    int primary key,
    at       timestamptz not null,
    score    double precision not null,
    value    double precision not null,
    expected double precision not null,
    tick     bigint not null
) with (fillfactor = 50);

create table derived.scores_1m (
    point  int not null,
    start  timestamptz not null,
    score  double precision not null,
    tick   bigint not null,
    primary key (point, start)
) partition by range (start);

create table derived.anomalies (
    point    int not null,
    at       timestamptz not null,
    score    double precision not null,
    value    double precision not null,
    expected double precision not null,
    tick     bigint not null,
    primary key (point, at)
);

-- Rows that keep their past: true from from_tick until before upto_tick (null: still). as_of is a filter.
create table derived.alarms (
    id         uuid not null,
    from_tick  bigint not null,
    upto_tick  bigint,
    rule       uuid not null,
    version    bigint not null,
    point      int not null,
    severity   text not null,
    onset      timestamptz not null,
    raised     timestamptz not null,
    cleared    timestamptz,
    value      double precision not null,
    peak       double precision not null,
    threshold  double precision not null,
    primary key (id, from_tick)
);
create unique index alarms_current on derived.alarms (id) where upto_tick is null;
create index alarms_by_point on derived.alarms (point, onset desc) where upto_tick is null;
create index alarms_by_onset on derived.alarms (onset desc, id) where upto_tick is null;
create index alarms_by_from on derived.alarms (from_tick);

create table derived.predictions (
    id            uuid not null,
    from_tick     bigint not null,
    upto_tick     bigint,
    model         uuid not null,
    version       bigint not null,
    site          uuid not null,
    position      uuid not null,
    window_start  timestamptz not null,
    probability   double precision not null,
    threshold     double precision not null,
    contributions jsonb not null,
    proposes      boolean not null,
    primary key (id, from_tick)
);
create unique index predictions_current on derived.predictions (id) where upto_tick is null;
create index predictions_by_position on derived.predictions (position, window_start desc) where upto_tick is null;

create table derived.sla_clocks (
    order_id       uuid not null,
    metric         text not null,
    from_tick      bigint not null,
    upto_tick      bigint,
    policy         uuid not null,
    policy_version bigint not null,
    state          text not null,
    started        timestamptz not null,
    stopped        timestamptz,
    due            timestamptz,
    target_s       bigint not null,
    elapsed_s      bigint not null,
    warned_percent smallint,
    explanation    jsonb not null,
    primary key (order_id, metric, from_tick)
);
create unique index sla_clocks_current on derived.sla_clocks (order_id, metric) where upto_tick is null;

create table derived.compliance (
    site        uuid not null,
    month       date not null,
    metric      text not null,
    from_tick   bigint not null,
    upto_tick   bigint,
    value       double precision,
    numerator   double precision not null,
    denominator double precision not null,
    unit        text not null,
    basis       text not null,
    reason      text,
    through     timestamptz not null,
    primary key (site, month, metric, from_tick)
);
create unique index compliance_current on derived.compliance (site, month, metric) where upto_tick is null;

-- P4: messages = decoded + unreadable, readings = accepted + duplicates + superseded + late + rejected
create table derived.books (
    job        text not null references derived.jobs,
    source     int not null,  -- index into derived.jobs.sources
    messages   bigint not null default 0,
    decoded    bigint not null default 0,
    unreadable bigint not null default 0,
    readings   bigint not null default 0,
    accepted   bigint not null default 0,
    duplicates bigint not null default 0,
    superseded bigint not null default 0,
    late       bigint not null default 0,
    rejected   bigint not null default 0,
    tick       bigint not null,
    primary key (job, source)
);

-- Refused messages and readings: counts and offset ranges, one row per job, source, reason and clock hour; bytes are in files.
create table derived.rejects (
    job          text not null references derived.jobs,
    source       int not null,
    reason       text not null,
    hour         timestamptz not null,
    n            bigint not null,
    first_offset bigint not null,
    last_offset  bigint not null,
    file         text not null,
    detail       text not null,   -- of the newest one
    tick         bigint not null,
    primary key (job, source, reason, hour)
);

create table derived.unknown_points (
    key      text primary key,
    n        bigint not null,
    first_at timestamptz not null,
    last_at  timestamptz not null,
    tick     bigint not null
);

-- Late readings by point and UTC hour: kept in the history, awaiting restatement.
create table derived.pending_restatements (
    point    int not null,
    hour     timestamptz not null,
    readings bigint not null,
    first_at timestamptz not null,
    last_at  timestamptz not null,
    tick     bigint not null,
    primary key (point, hour)
);

-- Engine to domain. The id is a hash of the cause, so a command is written once; the domain notes what it did in app.command_results.
create table derived.commands (
    id      uuid primary key,
    job     text not null,
    tick    bigint not null,
    at      timestamptz not null,
    request jsonb not null
);
create index commands_by_tick on derived.commands (tick);

-- Sealed Parquet files of the history. A file counts when its row is here.
create table derived.history_files (
    path       text primary key,   -- relative to the history's root: day=2026-11-21/main-0-17-140.parquet
    job        text not null,
    shard      int not null,
    day        date not null,
    from_tick  bigint not null,
    upto_tick  bigint not null,
    rows       bigint not null,
    bytes      bigint not null,
    first_at   timestamptz not null,
    last_at    timestamptz not null,
    tick       bigint not null
);
create index history_files_by_day on derived.history_files (day);
