-- Work: who does it, what is to be done, and everything that happened to it.

create table app.technicians (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    user_id     uuid unique references app.users,
    name        text not null,
    phone       text not null default '',
    discipline  text not null default 'general',
    active      boolean not null default true,
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

-- A skill counts on the days that its certificate covers.
create table app.technician_skills (
    technician_id uuid not null references app.technicians on delete cascade,
    skill         text not null,
    issuer        text not null default '',
    valid_from    date not null default '-infinity',
    valid_to      date not null default 'infinity',
    primary key (technician_id, skill, valid_from),
    check (valid_from <= valid_to)
);

-- What an order of a type costs until somebody says better, and up to where a machine may approve one by itself.
create table app.order_types (
    code               text primary key,   -- schemas::order::kinds::OrderType
    estimate_default   numeric(19, 4),
    auto_approve_limit numeric(19, 4)
);
insert into app.order_types (code, estimate_default, auto_approve_limit) values
    ('corrective', 800, 1000), ('preventive', 400, 1000), ('predictive', 600, null), ('condition', 400, 1000), ('inspection', 150, 1000),
    ('emergency', null, null), ('project', null, null), ('commissioning', null, null), ('decommission', null, null),
    ('calibration', 200, 500), ('cleaning', 300, 1000), ('vegetation', 300, 1000), ('rework', 400, null);

create table app.order_numbers (
    tenant_id uuid not null references app.tenants,
    year      int not null,
    last      bigint not null,
    primary key (tenant_id, year)
);

create table app.work_orders (
    id                 uuid primary key default gen_random_uuid(),
    tenant_id          uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    number             text not null,      -- WO-YYYY-NNNNNN
    order_type         text not null references app.order_types,
    title              text not null,
    description        text not null default '',
    site_id            uuid not null references app.sites,
    position_id        uuid,
    location           text not null default '',
    priority           text check (priority in ('emergency', 'high', 'medium', 'low')),
    status             text not null default 'draft',  -- schemas::order::stage::Stage
    source             text not null default 'manual' check (source in ('manual', 'alarm', 'prediction')),
    source_id          uuid,               -- the alarm or the prediction
    command_id         uuid,               -- the command that raised it
    because            jsonb,              -- what the engine said when it asked for it
    onset              timestamptz not null,
    estimate_cost      numeric(19, 4) check (estimate_cost >= 0),
    requires_outage    boolean not null default false,
    signature_required boolean not null default false,
    required_skills    text[] not null default '{}',
    required_permits   text[] not null default '{}',
    planned_from       timestamptz,
    planned_to         timestamptz,
    due_at             timestamptz,
    assignee_id        uuid references app.technicians,
    -- users or API keys
    created_by         uuid,
    submitted_by       uuid,
    approved_by        uuid,
    executed_by        uuid,
    verified_by        uuid,
    started_at         timestamptz,
    resolved_at        timestamptz,
    completion_note    text,
    signed_by          text,
    no_parts_used      boolean not null default false,
    -- when a person first put a hand to it: until then the engine may take it back
    touched_at         timestamptz,
    version            bigint not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    unique (tenant_id, number),
    check (planned_from < planned_to),
    check (source = 'manual' or source_id is not null),
    foreign key (position_id, site_id) references app.positions (id, site_id)
);
-- one open order per alarm or prediction
create unique index work_orders_open_by_cause on app.work_orders (source, source_id)
    where source <> 'manual' and status not in ('closed', 'cancelled');
create index work_orders_by_cause on app.work_orders (source_id) where source_id is not null;
create index work_orders_by_creation on app.work_orders (tenant_id, created_at desc, id desc);
create index work_orders_by_status on app.work_orders (tenant_id, status, created_at desc);
create index work_orders_by_assignee on app.work_orders (assignee_id, planned_from) where assignee_id is not null;
create index work_orders_by_position on app.work_orders (position_id) where position_id is not null;

create table app.order_transitions (
    order_id uuid not null references app.work_orders on delete cascade,
    version  bigint not null,       -- the order's after the move
    event    text not null,
    from_status text,
    to_status   text not null,
    by_label text not null,         -- user:<id>, key:<id> or engine
    by_name  text not null,
    reason   text,
    detail   jsonb not null default '{}',
    at       timestamptz not null,
    primary key (order_id, version)
);

create table app.order_holds (
    order_id uuid not null references app.work_orders on delete cascade,
    from_at  timestamptz not null,
    to_at    timestamptz,
    reason   text not null,
    note     text,
    primary key (order_id, from_at)
);
create unique index order_holds_open on app.order_holds (order_id) where to_at is null;

create table app.order_tasks (
    id              uuid primary key default gen_random_uuid(),
    order_id        uuid not null references app.work_orders on delete cascade,
    seq             int not null,
    kind            text not null,   -- schemas::order::kinds::TaskKind
    instruction     text not null,
    mandatory       boolean not null default true,
    safety_critical boolean not null default false,
    limit_min       double precision,
    limit_max       double precision,
    unit            text not null default '',
    state           text not null default 'pending' check (state in ('pending', 'completed', 'failed', 'skipped')),
    result          jsonb,
    out_of_limits   boolean not null default false,
    waived_by       text,
    waive_reason    text,
    skip_reason     text,
    skipped_by_supervisor boolean not null default false,
    done_by         text,
    done_at         timestamptz,
    unique (order_id, seq),
    check (limit_min <= limit_max)
);

create table app.labour_entries (
    id            uuid primary key default gen_random_uuid(),
    order_id      uuid not null references app.work_orders on delete cascade,
    technician_id uuid references app.technicians,
    person        text not null,
    activity      text not null default 'work' check (activity in ('travel', 'work', 'wait', 'admin')),
    from_at       timestamptz not null,
    to_at         timestamptz,
    source        text not null default 'manual' check (source in ('timer', 'manual')),
    check (from_at < to_at)
);
create index labour_entries_by_order on app.labour_entries (order_id, from_at);
-- nobody works at two places at once
create unique index labour_entries_running on app.labour_entries (technician_id) where to_at is null and technician_id is not null;

create table app.part_lines (
    id        uuid primary key default gen_random_uuid(),
    order_id  uuid not null references app.work_orders on delete cascade,
    part      text not null,
    quantity  numeric(19, 4) not null check (quantity > 0),
    unit_cost numeric(19, 4) check (unit_cost >= 0),
    serial    text,
    at        timestamptz not null default now()
);
create index part_lines_by_order on app.part_lines (order_id);

create table app.failure_codes (
    kind    text not null check (kind in ('mode', 'mechanism', 'cause')),
    code    text not null,
    name    text not null,
    classes text[] not null default '{}',   -- asset classes it is offered for; empty: all
    primary key (kind, code)
);

create table app.failure_reports (
    id          uuid primary key default gen_random_uuid(),
    order_id    uuid not null unique references app.work_orders on delete cascade,
    mode        text not null,
    mechanism   text,     -- a code, or unknown
    cause       text,     -- a code, or under_investigation, which needs cause_due
    cause_due   timestamptz,
    detection   text not null default '',
    note        text not null default '',
    failed_at   timestamptz not null,
    detected_at timestamptz,
    restored_at timestamptz,
    reported_by text not null,
    at          timestamptz not null default now()
);

create table app.order_comments (
    id       uuid primary key default gen_random_uuid(),
    order_id uuid not null references app.work_orders on delete cascade,
    -- comment by a person; correction when the engine takes back what it had said
    kind     text not null default 'comment' check (kind in ('comment', 'correction')),
    text     text not null,
    by_label text not null,
    by_name  text not null,
    at       timestamptz not null default now()
);
create index order_comments_by_order on app.order_comments (order_id, at);

-- What operators must be told: the cause of an order that somebody works on was disproved.
create table app.notices (
    id        uuid primary key default gen_random_uuid(),
    tenant_id uuid not null references app.tenants,
    order_id  uuid references app.work_orders on delete cascade,
    alarm_id  uuid,
    kind      text not null,
    text      text not null,
    at        timestamptz not null default now(),
    read_at   timestamptz,
    read_by   text
);
create index notices_unread on app.notices (tenant_id, at desc) where read_at is null;

create table app.permits (
    id         uuid primary key default gen_random_uuid(),
    order_id   uuid not null references app.work_orders on delete cascade,
    kind       text not null check (kind in ('LOTO', 'hot_work', 'confined_space', 'height', 'electrical_HV', 'excavation', 'crane')),
    status     text not null default 'required'
        check (status in ('required', 'requested', 'under_review', 'issued', 'suspended', 'closed', 'expired', 'revoked')),
    valid_from timestamptz,
    valid_to   timestamptz,
    issuer     text,
    hazards    text not null default '',
    version    bigint not null default 1,
    updated_at timestamptz not null default now(),
    check (valid_from < valid_to)
);
create index permits_by_order on app.permits (order_id);

-- An order as it is read: with the names of what it points at.
create view app.order_rows as
select o.*, site.code as site_code, position.code as position_code, position.class as position_class, technician.name as assignee_name,
    kind.auto_approve_limit
from app.work_orders o
join app.sites site on site.id = o.site_id
join app.order_types kind on kind.code = o.order_type
left join app.positions position on position.id = o.position_id
left join app.technicians technician on technician.id = o.assignee_id;

insert into app.failure_codes (kind, code, name, classes) values
    ('mode', 'FTS', 'Fails to start', '{}'), ('mode', 'FTF', 'Fails to function', '{}'), ('mode', 'UST', 'Stops by itself', '{}'),
    ('mode', 'NOO', 'No output', '{}'), ('mode', 'LOO', 'Low output', '{}'), ('mode', 'HIO', 'High output', '{}'), ('mode', 'ERO', 'Erratic output', '{}'),
    ('mode', 'PDE', 'Parameter deviation', '{}'), ('mode', 'OHE', 'Overheating', '{}'), ('mode', 'VIB', 'Vibration', '{}'), ('mode', 'NOI', 'Noise', '{}'),
    ('mode', 'ELU', 'External leakage', '{}'), ('mode', 'INL', 'Internal leakage', '{}'), ('mode', 'PLU', 'Plugged or choked', '{}'),
    ('mode', 'STD', 'Structural deficiency', '{}'), ('mode', 'AIR', 'Abnormal instrument reading', '{}'),
    ('mechanism', '1', 'Mechanical', '{}'), ('mechanism', '2', 'Material', '{}'), ('mechanism', '3', 'Instrument', '{}'),
    ('mechanism', '4', 'Electrical', '{}'), ('mechanism', '5', 'External influence', '{}'), ('mechanism', '6', 'Miscellaneous', '{}'),
    ('mechanism', 'PV-FUSE', 'String fuse blown', '{string,combiner,inverter}'), ('mechanism', 'PV-PID', 'Potential-induced degradation', '{string,module}'),
    ('mechanism', 'PV-DIODE', 'Bypass diode', '{string,module}'), ('mechanism', 'PV-CONN', 'Connector burn', '{string,combiner}'),
    ('mechanism', 'PV-IGBT', 'IGBT', '{inverter}'), ('mechanism', 'PV-FAN', 'Fan', '{inverter}'), ('mechanism', 'PV-SOIL', 'Soiling', '{string,module,inverter}'),
    ('mechanism', 'WT-PITCH', 'Pitch', '{turbine}'), ('mechanism', 'WT-YAW', 'Yaw', '{turbine}'), ('mechanism', 'WT-GEAR', 'Gearbox', '{turbine}'),
    ('mechanism', 'WT-BEAR', 'Main bearing', '{turbine}'), ('mechanism', 'BE-CELL', 'Cell imbalance', '{rack,battery}'),
    ('mechanism', 'BE-THERM', 'Thermal event', '{rack,battery}'), ('mechanism', 'BE-HVAC', 'HVAC', '{rack,battery}'), ('mechanism', 'BE-BMS', 'BMS communication', '{rack,battery}'),
    ('cause', '1', 'Design', '{}'), ('cause', '2', 'Fabrication or installation', '{}'), ('cause', '3', 'Operation or maintenance', '{}'),
    ('cause', '4', 'Management', '{}'), ('cause', '5', 'Miscellaneous', '{}');
