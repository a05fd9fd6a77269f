-- The oldest adoption whose points the engine knows: published, and a tick minted two seconds later is durable.
update app.adoptions
set state = 'sending'
where id = (
    select a.id
    from app.adoptions a
    join app.outbox o on o.seq = a.outbox_seq
    where a.state in ('waiting', 'sending')
      and o.published_at is not null
      and exists (select from derived.jobs j where j.durable_clock > o.published_at + interval '2 seconds')
    order by a.created_at
    limit 1
)
returning id, keys
