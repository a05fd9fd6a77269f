select tick, generation, clock, upto, watermarks, idle, inputs
from derived.bindings
where job = $1
order by tick
