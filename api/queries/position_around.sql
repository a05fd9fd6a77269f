-- What a position names: does it exist, is it of the same site, and is the position itself above its parent?
with recursive site as (
    select id from app.sites where tenant_id = $1 and id = $2 and archived_at is null for update
),
above (id, parent_id) as (
    select id, parent_id from app.positions where tenant_id = $1 and id = $4 and archived_at is null
    union
    select p.id, p.parent_id from app.positions p join above on p.id = above.parent_id
)
select exists (select from site) as site_exists,
       exists (select from app.asset_classes where tenant_id = $1 and code = $3 and archived_at is null) as class_exists,
       (select site_id from app.positions where tenant_id = $1 and id = $4 and archived_at is null) as parent_site,
       exists (select from above where id = $5) as circular
