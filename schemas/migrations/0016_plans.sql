-- Work that comes again. An occurrence is made once per plan, place and cause, by whoever is first; its id follows from them.
create table app.pm_plans (
    id             uuid primary key default gen_random_uuid(),
    tenant_id      uuid not null references app.tenants,
    name           text not null,
    site           uuid not null,
    positions      uuid[] not null check (cardinality(positions) between 1 and 1000),
    triggers       jsonb not null check (jsonb_array_length(triggers) between 1 and 10),   -- array of schemas::plan::Trigger
    combine        text not null check (combine in ('first_of', 'all_of')),
    months         int[] not null check (months <@ array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),   -- in which work may fall; none: all
    job            jsonb not null,                                                       -- what the orders say
    lead_time_days int not null check (lead_time_days between 0 and 366),
    early_days     int not null check (early_days between 0 and 366),
    late_days      int not null check (late_days between 0 and 366),
    absorbed_by    uuid,
    statutory      boolean not null,
    status         text not null default 'draft' check (status in ('draft', 'active', 'paused', 'ended')),
    active_from    timestamptz,
    version        bigint not null default 1,
    archived_at    timestamptz,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    unique (tenant_id, id),
    check (absorbed_by <> id),
    foreign key (tenant_id, site) references app.sites (tenant_id, id),
    foreign key (tenant_id, absorbed_by) references app.pm_plans (tenant_id, id)
);
create unique index pm_plans_by_name on app.pm_plans (tenant_id, name) where archived_at is null;
create index pm_plans_active on app.pm_plans (id) where status = 'active' and archived_at is null;

create table app.pm_occurrences (
    id          uuid primary key,          -- derived from plan, position and cause
    tenant_id   uuid not null references app.tenants,
    plan        uuid not null,
    position    uuid not null,
    cause       text not null,             -- which due date, meter value or alarm it is
    basis       text not null check (basis in ('time', 'meter', 'condition')),
    due_at      timestamptz not null,
    due_meter   numeric(19, 4),
    window_from timestamptz not null,
    window_to   timestamptz not null,
    work_order  uuid,
    absorbed_by uuid references app.pm_occurrences,
    reason      text,
    done_at     timestamptz,
    status      text not null check (status in ('due', 'generated', 'done', 'missed', 'skipped', 'absorbed')),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    unique (plan, position, cause),
    check (window_from <= due_at and due_at <= window_to),
    check (status <> 'generated' or work_order is not null),
    foreign key (tenant_id, plan) references app.pm_plans (tenant_id, id),
    foreign key (tenant_id, position) references app.positions (tenant_id, id),
    foreign key (tenant_id, work_order) references app.work_orders (tenant_id, id)
);
create index pm_occurrences_by_due on app.pm_occurrences (tenant_id, due_at, id);
create index pm_occurrences_by_order on app.pm_occurrences (work_order) where work_order is not null;

create view app.pm_occurrence_rows as
select occurrence.*, plan.name as plan_name, place.code as position_code, o.number as order_number
from app.pm_occurrences occurrence
join app.pm_plans plan on plan.id = occurrence.plan
join app.positions place on place.id = occurrence.position
left join app.work_orders o on o.id = occurrence.work_order;

-- Orders come of plans and of requests, too.
alter table app.work_orders drop constraint work_orders_source_check;
alter table app.work_orders add constraint work_orders_source_check check (source in ('manual', 'alarm', 'prediction', 'pm', 'request'));
