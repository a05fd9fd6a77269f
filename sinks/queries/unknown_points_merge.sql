-- Keys are listed while there is room for 100,000. The readings of all others are counted under the key '*'.
with given as (
    select key, sum(n)::bigint as n, min(first_at) as first_at, max(last_at) as last_at, max(tick) as tick
    from staged_unknown_points
    group by key
), ranked as (
    select given.*, known.key is not null as listed,
           count(*) filter (where known.key is null) over (order by given.key) as place
    from given left join derived.unknown_points known on known.key = given.key
), named as (
    select case when listed or place <= 100000 - (select count(*) from derived.unknown_points) then key else '*' end as key,
           n, first_at, last_at, tick
    from ranked
)
insert into derived.unknown_points as u (key, n, first_at, last_at, tick)
select key, sum(n)::bigint, min(first_at), max(last_at), max(tick)
from named
group by key
on conflict (key) do update set
    n = u.n + excluded.n,
    first_at = least(u.first_at, excluded.first_at),
    last_at = greatest(u.last_at, excluded.last_at),
    tick = excluded.tick
