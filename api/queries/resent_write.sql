insert into app.resent (source, partition, place, block, offsets)
select * from unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bytea[])
on conflict (source, partition, place, block) do update set offsets = excluded.offsets
