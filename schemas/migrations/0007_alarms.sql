-- What people did to alarms. The alarms themselves are the engine's; the two meet in a join on the id.
create table app.alarm_handling (
    alarm_id       uuid primary key,
    acked_at       timestamptz,
    acked_by       text,
    shelved_until  timestamptz,
    shelve_reason  text,
    shelved_by     text,
    out_of_service_at     timestamptz,
    out_of_service_reason text,
    -- the earlier ids of this occurrence, as late data moved its onset
    moved_from     uuid[] not null default '{}',
    version        bigint not null default 1,
    updated_at     timestamptz not null default now()
);

create table app.alarm_comments (
    id       uuid primary key default gen_random_uuid(),
    alarm_id uuid not null,
    text     text not null,
    by_label text not null,
    by_name  text not null,
    at       timestamptz not null default now()
);
create index alarm_comments_by_alarm on app.alarm_comments (alarm_id, at);
