select coalesce(sum(readings), 0)::bigint
from derived.books
