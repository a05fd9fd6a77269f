-- The newest values after tick $4 (all when it is null), and the tick as of which that is so, in one snapshot.
select (select coalesce(max(durable_tick), 0) from derived.jobs) as tick,
       (
           select coalesce(jsonb_agg(jsonb_build_object('weight', 1, 'key', key, 'row', to_jsonb(row) - 'key')), '[]')
           from (
               select p.key, p.id as point, p.unit, l.at, l.value,
                      case l.quality when 0 then 'good' when 1 then 'uncertain' else 'bad' end as quality, l.tick
               from app.points p
               join derived.latest l on l.point = p.number
               where p.tenant_id = $1 and p.archived_at is null
                 and ($2::uuid is null or p.site_id = $2)
                 and ($3::text[] is null or p.key = any ($3))
                 and ($4::bigint is null or l.tick > $4)
               order by p.key
               limit $5
           ) row
       ) as rows
