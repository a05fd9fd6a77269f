insert into derived.latest (point, at, value, quality, tick)
select point, at, value, quality, tick
from staged_latest
on conflict (point) do update set
    at = excluded.at,
    value = excluded.value,
    quality = excluded.quality,
    tick = excluded.tick
