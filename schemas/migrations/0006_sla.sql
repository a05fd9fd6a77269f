-- How long people may take. A policy is judged whole, as of its version.
create table app.sla_policies (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    name        text not null,
    rank        int not null default 100,     -- of several that apply the lowest wins
    calendar_id uuid not null references app.calendars,
    order_types text[] not null default '{}',
    priorities  text[] not null default '{}',
    sites       uuid[] not null default '{}',
    targets     jsonb not null,               -- array of schemas::sla::Target
    valid_from  timestamptz not null default now(),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create unique index sla_policies_by_name on app.sla_policies (tenant_id, name) where archived_at is null;
