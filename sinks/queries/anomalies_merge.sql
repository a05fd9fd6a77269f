insert into derived.anomalies (point, at, score, value, expected, tick)
select point, at, score, value, expected, tick
from staged_anomalies
where there
on conflict (point, at) do update set
    score = excluded.score,
    value = excluded.value,
    expected = excluded.expected,
    tick = excluded.tick
