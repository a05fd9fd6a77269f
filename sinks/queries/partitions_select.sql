select child.relname::text
from pg_inherits
join pg_class child on child.oid = inhrelid
join pg_class parent on parent.oid = inhparent
where parent.relnamespace = 'derived'::regnamespace
