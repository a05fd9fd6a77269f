select job, topic, partition, messages, decoded, unreadable, readings, accepted, duplicates, superseded, late, rejected, balanced,
       changed_tick as tick, durable_tick
from analysts.books
where $1::text is null or job = $1
order by job, topic, partition
