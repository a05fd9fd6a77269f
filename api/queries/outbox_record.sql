-- Appends events in the order given and wakes the relay at commit.
with appended as (
    insert into app.outbox (entity, id, version, payload)
    select entity, id, version, payload
    from unnest($1::text[], $2::uuid[], $3::bigint[], $4::jsonb[]) with ordinality as event (entity, id, version, payload, nth)
    order by nth
    returning seq
),
woken as (
    select pg_notify('dcmms_outbox', '')
)
select max(appended.seq) from appended, woken
