-- Which of the codes are in no catalogue.
select said.kind, said.code
from (values ('mode', $1::text), ('mechanism', nullif($2::text, 'unknown')), ('cause', nullif($3::text, 'under_investigation'))) as said (kind, code)
where said.code is not null and not exists (select from app.failure_codes known where known.kind = said.kind and known.code = said.code)
