insert into derived.pending_restatements as p (point, hour, readings, first_at, last_at, tick)
select point, hour, readings, first_at, last_at, tick
from staged_pending_restatements
on conflict (point, hour) do update set
    readings = p.readings + excluded.readings,
    first_at = least(p.first_at, excluded.first_at),
    last_at = greatest(p.last_at, excluded.last_at),
    tick = excluded.tick
