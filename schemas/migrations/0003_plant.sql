-- What is monitored. Rows are archived, not deleted: derived rows and the history go on naming them.
create table app.sites (
    id            uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    code          text not null,
    name          text not null,
    kind          text not null default 'solar' check (kind in ('solar', 'wind', 'bess', 'hybrid', 'microgrid', 'substation', 'factory')),
    zone          text not null,
    latitude      double precision check (latitude between -90 and 90),
    longitude     double precision check (longitude between -180 and 180),
    ac_kw         double precision check (ac_kw > 0),
    dc_kwp        double precision check (dc_kwp > 0),
    poa_threshold double precision not null default 50 check (poa_threshold >= 0),
    version       bigint not null default 1,
    archived_at   timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create unique index sites_by_code on app.sites (tenant_id, code) where archived_at is null;

create table app.asset_classes (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    code        text not null,
    name        text not null,
    parent      text,
    description text not null default '',
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index asset_classes_by_code on app.asset_classes (tenant_id, code) where archived_at is null;

create table app.positions (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    site_id     uuid not null references app.sites,
    parent_id   uuid,
    code        text not null,     -- a path, unique in its site: B03/INV07
    name        text not null,
    class       text not null,     -- code of an asset class
    rated_kw    double precision check (rated_kw > 0),
    criticality text not null default 'B' check (criticality in ('A', 'B', 'C')),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    unique (id, site_id),
    -- a parent is of the same site
    foreign key (parent_id, site_id) references app.positions (id, site_id)
);
create unique index positions_by_code on app.positions (site_id, code) where archived_at is null;
create index positions_by_parent on app.positions (parent_id) where archived_at is null;

create table app.points (
    id          uuid primary key default gen_random_uuid(),
    -- the engine's dense number: given once, never reused
    number      int not null generated always as identity unique,
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    site_id     uuid not null references app.sites,
    position_id uuid,
    key         text not null,     -- as telemetry names it: RJ01/B03/INV07:ac.power
    name        text not null default '',
    kind        text not null,
    unit        text not null,
    counter     boolean not null default false,
    resolution  double precision not null check (resolution > 0),
    range_min   double precision,
    range_max   double precision,
    horizon_ms  bigint not null default 900000 check (horizon_ms between 0 and 604800000),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    check (range_min < range_max),
    foreign key (position_id, site_id) references app.positions (id, site_id)
);
create unique index points_by_key on app.points (tenant_id, key) where archived_at is null;
create index points_by_site on app.points (site_id, key) where archived_at is null;
create index points_by_position on app.points (position_id) where archived_at is null;

-- Unknown points that were made known, and the sending through again of what they had said. One row per command.
create table app.adoptions (
    id           uuid primary key default gen_random_uuid(),
    tenant_id    uuid not null references app.tenants,
    state        text not null default 'waiting' check (state in ('waiting', 'sending', 'done', 'failed')),
    keys         text[] not null,
    points       int not null,
    -- the outbox row after which the engine knows all of these points
    outbox_seq   bigint not null,
    readings     bigint not null default 0,
    failure      text,
    requested_by text not null,
    created_at   timestamptz not null default now(),
    finished_at  timestamptz
);
create index adoptions_unfinished on app.adoptions (created_at) where state in ('waiting', 'sending');

-- How far a file of rejects was sent again for an adoption, so that a stop in the middle repeats little (the engine
-- drops exact repeats anyway).
create table app.adoption_files (
    adoption_id uuid not null references app.adoptions on delete cascade,
    file        text not null,
    bytes       bigint not null,
    readings    bigint not null,
    primary key (adoption_id, file)
);
