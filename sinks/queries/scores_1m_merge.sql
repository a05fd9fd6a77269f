insert into derived.scores_1m (point, start, score, tick)
select point, start, score, tick
from staged_scores_1m
on conflict (point, start) do update set
    score = excluded.score,
    tick = excluded.tick
