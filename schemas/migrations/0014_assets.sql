-- Things apart from places: what is installed where from when to when, what holds for it, what its registers say.
create table app.asset_models (
    id                  uuid primary key default gen_random_uuid(),
    tenant_id           uuid not null references app.tenants,
    manufacturer        text not null,
    model               text not null,
    class               text not null,     -- code of an asset class
    rated_kw            double precision check (rated_kw > 0),
    expected_life_years int check (expected_life_years between 1 and 200),
    description         text not null,
    version             bigint not null default 1,
    archived_at         timestamptz,
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    unique (tenant_id, id)
);
create unique index asset_models_by_model on app.asset_models (tenant_id, manufacturer, model) where archived_at is null;

create table app.asset_items (
    id               uuid primary key default gen_random_uuid(),
    tenant_id        uuid not null references app.tenants,
    model            uuid not null,
    serial_no        text not null,
    owner            text not null,
    acquisition_cost numeric(19, 4) check (acquisition_cost >= 0),
    currency         text check (currency ~ '^[A-Z]{3}$'),
    in_service_on    date,
    firmware         text not null,
    note             text not null,
    status           text not null default 'planned' check (status in ('planned', 'procured', 'installing', 'commissioning', 'operational',
        'degraded', 'under_maintenance', 'failed', 'decommissioning', 'decommissioned', 'retired')),
    version          bigint not null default 1,
    archived_at      timestamptz,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    unique (tenant_id, id),
    foreign key (tenant_id, model) references app.asset_models (tenant_id, id)
);
create unique index asset_items_by_serial_no on app.asset_items (tenant_id, model, serial_no) where archived_at is null;

-- Swapping a thing changes the interval, not the place.
create table app.installations (
    id         uuid primary key default gen_random_uuid(),
    tenant_id  uuid not null references app.tenants,
    item       uuid not null,
    position   uuid not null,
    from_at    timestamptz not null,
    to_at      timestamptz,
    check (from_at < to_at),
    foreign key (tenant_id, item) references app.asset_items (tenant_id, id),
    foreign key (tenant_id, position) references app.positions (tenant_id, id),
    constraint installations_one_thing_per_place exclude using gist (position with =, tstzrange(from_at, to_at) with &&),
    constraint installations_one_place_per_thing exclude using gist (item with =, tstzrange(from_at, to_at) with &&)
);

create view app.asset_item_rows as
select item.*, model.manufacturer, model.model as model_name, model.class, installed.position, place.code as position_code, place.site_id as site
from app.asset_items item
join app.asset_models model on model.id = item.model
left join app.installations installed on installed.item = item.id and installed.to_at is null
left join app.positions place on place.id = installed.position;

create table app.asset_relations (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    kind        text not null check (kind in ('feeds', 'protects', 'measures', 'controls', 'redundant_with', 'shares_enclosure')),
    source      uuid not null,
    target      uuid not null,
    note        text not null,
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    constraint asset_relations_target_check check (source <> target),
    foreign key (tenant_id, source) references app.positions (tenant_id, id),
    foreign key (tenant_id, target) references app.positions (tenant_id, id)
);
create unique index asset_relations_by_target on app.asset_relations (source, kind, target) where archived_at is null;
create index asset_relations_back on app.asset_relations (target, kind) where archived_at is null;

create table app.warranties (
    id              uuid primary key default gen_random_uuid(),
    tenant_id       uuid not null references app.tenants,
    item            uuid not null,
    provider        text not null,
    kind            text not null check (kind in ('product', 'performance', 'workmanship', 'extended')),
    starts_on       date not null,
    ends_on         date not null,
    meter_limit     numeric(19, 4) check (meter_limit > 0),
    conditions      text not null,
    claim_procedure text not null,
    version         bigint not null default 1,
    archived_at     timestamptz,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    unique (tenant_id, id),
    constraint warranties_ends_on_check check (starts_on <= ends_on),
    foreign key (tenant_id, item) references app.asset_items (tenant_id, id)
);

create table app.warranty_claims (
    id               uuid primary key default gen_random_uuid(),
    tenant_id        uuid not null references app.tenants,
    warranty         uuid not null,
    work_order       uuid,
    failed_on        date not null,
    text             text not null,
    amount           numeric(19, 4) check (amount >= 0),
    currency         text check (currency ~ '^[A-Z]{3}$'),
    settled_amount   numeric(19, 4) check (settled_amount >= 0),
    provider_ref     text,
    status           text not null default 'draft' check (status in ('draft', 'submitted', 'accepted', 'rejected', 'settled')),
    version          bigint not null default 1,
    archived_at      timestamptz,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    foreign key (tenant_id, warranty) references app.warranties (tenant_id, id),
    foreign key (tenant_id, work_order) references app.work_orders (tenant_id, id)
);

create table app.meters (
    id            uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null references app.tenants,
    position      uuid not null,
    code          text not null,
    register_type text not null check (register_type in ('energy_export', 'energy_import', 'hours', 'cycles', 'starts', 'distance', 'volume')),
    unit          text not null,
    -- the value at which the register begins at 0 again
    rollover      numeric(19, 4) check (rollover > 0),
    revenue_grade boolean not null,
    version       bigint not null default 1,
    archived_at   timestamptz,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    unique (tenant_id, id),
    foreign key (tenant_id, position) references app.positions (tenant_id, id)
);
create unique index meters_by_code on app.meters (position, code) where archived_at is null;

create table app.meter_readings (
    id        uuid primary key default gen_random_uuid(),
    tenant_id uuid not null references app.tenants,
    meter     uuid not null,
    at        timestamptz not null,
    value     numeric(19, 4) not null check (value >= 0),
    -- what the meter has counted since its first reading, over all resets
    total     numeric(19, 4) not null check (total >= 0),
    reset     boolean not null,
    source    text not null check (source in ('telemetry', 'manual', 'joint_meter_reading', 'import')),
    note      text not null,
    by_name   text not null,
    unique (meter, at),
    foreign key (tenant_id, meter) references app.meters (tenant_id, id)
);

create view app.meter_rows as
select meter.*, last.value as last_value, last.at as last_at, last.total
from app.meters meter
left join lateral (select value, at, total from app.meter_readings reading where reading.meter = meter.id order by at desc limit 1) last on true;
