select tick, turn, state, binding, chain, files
from derived.checkpoints
where job = $1
order by tick
