insert into derived.commands (id, job, tick, at, request)
select id, job, tick, at, request
from staged_commands
on conflict (id) do nothing
