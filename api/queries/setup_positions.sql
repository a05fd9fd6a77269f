-- Parents and children in one statement: the references are looked at when it ends.
insert into app.positions (id, site_id, parent_id, code, name, class, rated_kw)
select *
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::float8[])
