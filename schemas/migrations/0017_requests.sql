-- What people ask for, with an account or by the code on a machine.
create table app.portal_tokens (
    token      text primary key,          -- stands on a label for all to read; whoever has it may ask for this place, and no more
    tenant_id  uuid not null references app.tenants,
    position   uuid not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    foreign key (tenant_id, position) references app.positions (tenant_id, id)
);
create unique index portal_tokens_current on app.portal_tokens (position) where revoked_at is null;

create table app.service_requests (
    id            uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null references app.tenants,
    number        text not null,          -- SR-YYYY-NNNNNN
    title         text not null,
    text          text not null,
    site          uuid not null,
    position      uuid,
    priority      text check (priority in ('emergency', 'high', 'medium', 'low')),
    reporter      text not null,
    contact       text not null,
    portal        boolean not null,       -- came without an account
    status        text not null default 'new' check (status in ('new', 'triaged', 'approved', 'rejected', 'merged', 'converted', 'closed')),
    duplicate_of  uuid,
    work_order    uuid,
    version       bigint not null default 1,
    archived_at   timestamptz,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    unique (tenant_id, id),
    unique (tenant_id, number),
    check (duplicate_of <> id),
    check (status <> 'merged' or duplicate_of is not null),
    check (status not in ('converted', 'closed') or work_order is not null),
    foreign key (tenant_id, site) references app.sites (tenant_id, id),
    foreign key (tenant_id, position) references app.positions (tenant_id, id),
    foreign key (tenant_id, duplicate_of) references app.service_requests (tenant_id, id),
    foreign key (tenant_id, work_order) references app.work_orders (tenant_id, id)
);
create index service_requests_by_time on app.service_requests (tenant_id, created_at desc, id desc);
create index service_requests_by_position on app.service_requests (position, created_at) where position is not null;

create view app.service_request_rows as
select request.*, o.number as order_number, o.status as order_status,
    array(select other.number from app.service_requests other where other.duplicate_of = request.id order by other.number) as duplicates
from app.service_requests request
left join app.work_orders o on o.id = request.work_order;
