select b.job, j.sources -> b.source -> 'source' ->> 'topic' as topic, (j.sources -> b.source ->> 'partition')::int as partition,
       b.messages, b.decoded, b.unreadable, b.readings, b.accepted, b.duplicates, b.superseded, b.late, b.rejected,
       b.messages = b.decoded + b.unreadable
           and b.readings = b.accepted + b.duplicates + b.superseded + b.late + b.rejected as balanced,
       b.tick
from derived.books b
join derived.jobs j on j.job = b.job
order by b.job, b.source
