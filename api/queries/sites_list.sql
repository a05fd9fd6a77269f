-- By code or name, up or down; the id decides between equals.
with sites as (
    select *, case $4 when 'name' then name else code end as sort_key
    from app.sites
    where tenant_id = $1 and archived_at is null
      and ($2::text[] is null or code = any ($2))
      and ($3::text[] is null or kind = any ($3))
)
select id, code, name, kind, zone, latitude, longitude, ac_kw, dc_kwp, poa_threshold, version, created_at, updated_at
from sites
where $6::text is null
   or (not $5 and (sort_key, id) > ($6, $7))
   or ($5 and (sort_key < $6 or (sort_key = $6 and id > $7)))
order by case when not $5 then sort_key end, case when $5 then sort_key end desc, id
limit $8
