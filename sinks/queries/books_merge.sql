insert into derived.books as b (job, source, messages, decoded, unreadable, readings, accepted, duplicates, superseded, late, rejected, tick)
select job, source, messages, decoded, unreadable, readings, accepted, duplicates, superseded, late, rejected, tick
from staged_books
on conflict (job, source) do update set
    messages = b.messages + excluded.messages,
    decoded = b.decoded + excluded.decoded,
    unreadable = b.unreadable + excluded.unreadable,
    readings = b.readings + excluded.readings,
    accepted = b.accepted + excluded.accepted,
    duplicates = b.duplicates + excluded.duplicates,
    superseded = b.superseded + excluded.superseded,
    late = b.late + excluded.late,
    rejected = b.rejected + excluded.rejected,
    tick = excluded.tick
