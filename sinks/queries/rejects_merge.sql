insert into derived.rejects as r (job, source, reason, hour, n, first_offset, last_offset, file, detail, tick)
select job, source, reason, hour, n, first_offset, last_offset, file, detail, tick
from staged_rejects
on conflict (job, source, reason, hour) do update set
    n = r.n + excluded.n,
    first_offset = least(r.first_offset, excluded.first_offset),
    last_offset = greatest(r.last_offset, excluded.last_offset),
    file = excluded.file,
    detail = excluded.detail,
    tick = excluded.tick
