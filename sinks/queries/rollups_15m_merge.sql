insert into derived.rollups_15m (point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at, tick)
select point, start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at, tick
from staged_rollups
where level = 1
on conflict (point, start) do update set
    n = excluded.n,
    n_uncertain = excluded.n_uncertain,
    n_bad = excluded.n_bad,
    min = excluded.min,
    max = excluded.max,
    mean = excluded.mean,
    stddev = excluded.stddev,
    first = excluded.first,
    first_at = excluded.first_at,
    last = excluded.last,
    last_at = excluded.last_at,
    tick = excluded.tick
