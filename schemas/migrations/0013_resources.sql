-- References carry the tenant, so that no row can point into another one's.
alter table app.sites add unique (tenant_id, id);
alter table app.positions add unique (tenant_id, id);
alter table app.points add unique (tenant_id, id);
alter table app.rules add unique (tenant_id, id);
alter table app.calendars add unique (tenant_id, id);
alter table app.technicians add unique (tenant_id, id);
alter table app.work_orders add unique (tenant_id, id);

-- What people did to which row, written in the transaction that did it.
create table app.changes (
    tenant_id uuid not null references app.tenants,
    entity    text not null,      -- the table
    id        uuid not null,
    version   bigint not null,    -- the row's after the change
    event     text not null,      -- create, edit, archive or an event of its machine
    by_id     uuid,
    by_label  text not null,      -- user:<id>, key:<id> or engine
    by_name   text not null,
    reason    text,
    detail    jsonb not null,
    at        timestamptz not null,
    primary key (entity, id, version)
);
create index changes_by_time on app.changes (tenant_id, at desc);

-- Human numbers: the last one given per tenant, kind and year.
create table app.numbers (
    tenant_id uuid not null references app.tenants,
    kind      text not null,      -- PR, PO, SR, …
    year      int not null,
    last      bigint not null,
    primary key (tenant_id, kind, year)
);

create extension if not exists btree_gist;
