-- `for update` also keeps out bindings (which take `for key share`), so none of an older generation can come after the new one has read them.
select generation, durable_tick, history_tick, fingerprint, sources, rejects_file, rejects_bytes
from derived.jobs
where job = $1
for update
