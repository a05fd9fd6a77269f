-- Parts and where they lie. Moves are only ever added; levels are their sums, kept by the statement that adds a move.
create table app.parts (
    id             uuid primary key default gen_random_uuid(),
    tenant_id      uuid not null references app.tenants,
    number         text not null,
    name           text not null,
    uom            text not null,
    manufacturer   text not null,
    mpn            text not null,          -- the maker's number
    hazardous      boolean not null,
    serialised     boolean not null,
    repairable     boolean not null,
    criticality    text not null check (criticality in ('A', 'B', 'C')),
    lead_time_days int check (lead_time_days between 0 and 3650),
    reorder_point  numeric(19, 4) check (reorder_point >= 0),
    max_quantity   numeric(19, 4) check (max_quantity > 0),
    safety_stock   numeric(19, 4) check (safety_stock >= 0),
    currency       text not null check (currency ~ '^[A-Z]{3}$'),
    -- moving average of what was received
    average_cost   numeric(19, 4) check (average_cost >= 0),
    version        bigint not null default 1,
    archived_at    timestamptz,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    unique (tenant_id, id)
);
create unique index parts_by_number on app.parts (tenant_id, number) where archived_at is null;

create table app.stores (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    site        uuid,
    code        text not null,
    name        text not null,
    kind        text not null check (kind in ('warehouse', 'room', 'bin', 'vehicle')),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    unique (tenant_id, id),
    foreign key (tenant_id, site) references app.sites (tenant_id, id)
);
create unique index stores_by_code on app.stores (tenant_id, code) where archived_at is null;

create table app.stock_levels (
    tenant_id uuid not null references app.tenants,
    part      uuid not null,
    store     uuid not null,
    on_hand   numeric(19, 4) not null default 0 check (on_hand >= 0),
    reserved  numeric(19, 4) not null default 0 check (reserved >= 0),
    primary key (part, store),
    -- what is promised is there: nothing is sold twice, whoever writes
    constraint stock_levels_available check (reserved <= on_hand),
    foreign key (tenant_id, part) references app.parts (tenant_id, id),
    foreign key (tenant_id, store) references app.stores (tenant_id, id)
);

create table app.reservations (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    work_order  uuid not null,
    part        uuid not null,
    store       uuid not null,
    quantity    numeric(19, 4) not null check (quantity > 0),
    needed_at   timestamptz,
    expires_at  timestamptz,
    serial      text,
    returned    numeric(19, 4) not null default 0 check (returned between 0 and quantity),
    status      text not null check (status in ('requested', 'backordered', 'reserved', 'picked', 'issued', 'consumed', 'returned', 'released', 'expired')),
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    unique (tenant_id, id),
    foreign key (tenant_id, work_order) references app.work_orders (tenant_id, id),
    foreign key (tenant_id, part) references app.parts (tenant_id, id),
    foreign key (tenant_id, store) references app.stores (tenant_id, id)
);
create index reservations_by_order on app.reservations (work_order);
create index reservations_open on app.reservations (part, store, expires_at) where status in ('reserved', 'picked', 'backordered');

create view app.reservation_rows as
select held.*, part.number as part_number, part.name as part_name, store.code as store_code, o.number as order_number
from app.reservations held
join app.parts part on part.id = held.part
join app.stores store on store.id = held.store
join app.work_orders o on o.id = held.work_order;

create table app.cycle_counts (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    store       uuid not null,
    parts       uuid[] not null check (cardinality(parts) between 1 and 500),
    note        text not null,
    status      text not null default 'open' check (status in ('open', 'counted', 'approved', 'cancelled')),
    counted_by  uuid,
    approved_by uuid,
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    unique (tenant_id, id),
    constraint cycle_counts_two_people check (approved_by <> counted_by),
    foreign key (tenant_id, store) references app.stores (tenant_id, id)
);

create table app.cycle_count_lines (
    count    uuid not null references app.cycle_counts,
    part     uuid not null references app.parts,
    expected numeric(19, 4) not null,   -- on hand when it was counted
    counted  numeric(19, 4) not null check (counted >= 0),
    primary key (count, part)
);

create view app.cycle_count_rows as
select count.*, coalesce((
    select jsonb_agg(jsonb_build_object('part', line.part, 'expected', line.expected::text, 'counted', line.counted::text,
        'difference', (line.counted - line.expected)::text) order by line.part)
    from app.cycle_count_lines line where line.count = count.id
), '[]') as lines
from app.cycle_counts count;

create table app.stock_moves (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    kind        text not null check (kind in ('receipt', 'issue', 'return', 'transfer', 'adjust', 'scrap', 'count_diff')),
    part        uuid not null,
    store       uuid not null,
    quantity    numeric(19, 4) not null check (quantity <> 0),   -- what came; less than 0: what went
    unit_cost   numeric(19, 4) check (unit_cost >= 0),
    work_order  uuid,
    reservation uuid,
    cycle_count uuid,
    lot         text,
    serial      text,
    note        text not null,
    by_name     text not null,
    at          timestamptz not null,
    check (case kind when 'receipt' then quantity > 0 when 'return' then quantity > 0 when 'issue' then quantity < 0 when 'scrap' then quantity < 0 else true end),
    foreign key (tenant_id, part) references app.parts (tenant_id, id),
    foreign key (tenant_id, store) references app.stores (tenant_id, id),
    foreign key (tenant_id, work_order) references app.work_orders (tenant_id, id),
    foreign key (tenant_id, reservation) references app.reservations (tenant_id, id),
    foreign key (tenant_id, cycle_count) references app.cycle_counts (tenant_id, id)
);
create index stock_moves_by_part on app.stock_moves (tenant_id, part, at desc);
create index stock_moves_by_time on app.stock_moves (tenant_id, at desc, id desc);
create index stock_moves_by_order on app.stock_moves (work_order) where work_order is not null;

create function app.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger stock_moves_only_added before update or delete on app.stock_moves for each row execute function app.refuse_change();

create view app.stock_move_rows as
select move.*, 1::bigint as version, null::timestamptz as archived_at, move.at as created_at, move.at as updated_at
from app.stock_moves move;

create view app.part_rows as
select part.*, coalesce(level.on_hand, 0) as on_hand, coalesce(level.reserved, 0) as reserved, coalesce(level.on_hand - level.reserved, 0) as available
from app.parts part
left join lateral (select sum(on_hand) as on_hand, sum(reserved) as reserved from app.stock_levels where stock_levels.part = part.id) level on true;

create table app.kits (
    id          uuid primary key default gen_random_uuid(),
    tenant_id   uuid not null references app.tenants,
    code        text not null,
    name        text not null,
    lines       jsonb not null check (jsonb_array_length(lines) between 1 and 200),   -- array of {part, quantity}
    version     bigint not null default 1,
    archived_at timestamptz,
    created_at  timestamptz not null,
    updated_at  timestamptz not null
);
create unique index kits_by_code on app.kits (tenant_id, code) where archived_at is null;

-- A part that came from a store; free text stays possible.
alter table app.part_lines add reservation uuid references app.reservations;
create unique index part_lines_by_reservation on app.part_lines (reservation) where reservation is not null;
