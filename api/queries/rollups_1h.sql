select start, n, n_uncertain, n_bad, min, max, mean, stddev, first, first_at, last, last_at, tick
from derived.rollups_1h
where point = $1 and start >= $2 and start < $3
order by start
limit $4
