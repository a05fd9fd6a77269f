-- Who may do what, and what the API remembers between requests. The API is the only writer of schema app.
create schema app;

create table app.tenants (
    id         uuid primary key,
    code       text not null unique,
    name       text not null,
    created_at timestamptz not null default now()
);
insert into app.tenants (id, code, name) values ('00000000-0000-4000-8000-000000000001', 'default', 'Default');

create table app.users (
    id            uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    email         text not null,
    name          text not null,
    role          text not null,   -- one of schemas::access::Role
    status        text not null default 'active' check (status in ('active', 'locked', 'disabled')),
    password_hash text not null,   -- argon2id, PHC string
    version       bigint not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create unique index users_by_email on app.users (lower(email));

-- The token itself is known to its holder only.
create table app.sessions (
    token_sha256 bytea primary key,
    user_id      uuid not null references app.users on delete cascade,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at   timestamptz not null
);
create index sessions_by_user on app.sessions (user_id);
create index sessions_by_expiry on app.sessions (expires_at);

create table app.login_failures (
    email text not null,
    at    timestamptz not null default now()
);
create index login_failures_by_email on app.login_failures (email, at);

create table app.api_keys (
    id            uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null default '00000000-0000-4000-8000-000000000001' references app.tenants,
    name          text not null,
    role          text not null,
    prefix        text not null,   -- the first characters of the secret, so that a person can tell keys apart
    secret_sha256 bytea not null unique,
    created_by    uuid references app.users,
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    version       bigint not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

-- What a create or an action answered, written in the transaction that did it, so a retry never does it twice.
create table app.idempotency_keys (
    tenant_id   uuid not null references app.tenants,
    principal   text not null,     -- user:<id> or key:<id>
    key         text not null,
    fingerprint bytea not null,    -- of method, path, query and body
    status      smallint not null,
    headers     jsonb not null,
    body        bytea not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, principal, key)
);
create index idempotency_keys_by_age on app.idempotency_keys (created_at);

-- Every change of a row that the engine looks at, whole, written in the transaction that changed it.
create table app.outbox (
    seq          bigserial primary key,
    entity       text not null,
    id           uuid not null,
    version      bigint not null,
    payload      jsonb not null,   -- schemas::domain::Event
    at           timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_unpublished on app.outbox (seq) where published_at is null;
create index outbox_by_row on app.outbox (entity, id, version desc);
