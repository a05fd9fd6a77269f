insert into derived.scores (point, at, score, value, expected, tick)
select point, at, score, value, expected, tick
from staged_scores
on conflict (point) do update set
    at = excluded.at,
    score = excluded.score,
    value = excluded.value,
    expected = excluded.expected,
    tick = excluded.tick
