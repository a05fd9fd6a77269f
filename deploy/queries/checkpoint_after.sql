select tick, bytes, cardinality(chain) as files_of, extract(epoch from complete_at - created_at)::float8 as seconds
from derived.checkpoints
where job = $1 and tick > $2 and state = 'complete'
order by tick
limit 1
