-- What is judged, and by what.
create table app.rules (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    name        text not null,
    -- schemas::rule::Scope; at least one part
    scope_point text,
    scope_site  uuid references app.sites,
    scope_class text,
    scope_kind  text,
    -- rules of one group compete for a point and the nearest wins
    "group"     text not null,
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    check (num_nonnulls(scope_point, scope_site, scope_class, scope_kind) > 0)
);
create unique index rules_by_name on app.rules (tenant_id, name) where archived_at is null;

-- Never changed once published: a reading is judged by the version valid at its moment.
create table app.rule_versions (
    rule_id        uuid not null references app.rules,
    version        bigint not null,
    valid_from     timestamptz not null default now(),
    enabled        boolean not null default true,
    severity       text not null check (severity in ('info', 'low', 'medium', 'high', 'critical')),
    condition      jsonb not null,   -- schemas::rule::Condition
    order_template jsonb,            -- schemas::rule::OrderTemplate
    created_by     text,
    created_at     timestamptz not null default now(),
    primary key (rule_id, version)
);

create table app.calendars (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    name        text not null,
    zone        text not null,
    openings    jsonb not null,      -- array of schemas::calendar::Opening
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index calendars_by_name on app.calendars (tenant_id, name) where archived_at is null;

create table app.holidays (
    calendar_id uuid not null references app.calendars,
    date        date not null,
    name        text not null,
    primary key (calendar_id, date)
);

create table app.models (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    name        text not null,
    class       text not null,
    failure     text not null,
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index models_by_name on app.models (tenant_id, name) where archived_at is null;

create table app.model_versions (
    model_id   uuid not null references app.models,
    version    bigint not null,
    artifact   jsonb not null,       -- schemas::model::Model
    training   jsonb not null default '{}',
    created_at timestamptz not null default now(),
    primary key (model_id, version)
);
