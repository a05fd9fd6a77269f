select reason, sum(n)::bigint as n, max(detail) as example
from derived.rejects
where job = $1
group by reason
order by n desc
