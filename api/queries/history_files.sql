select path
from derived.history_files
where last_at >= $1 and first_at < $2
order by first_at
