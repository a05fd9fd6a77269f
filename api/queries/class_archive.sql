-- Archives a class unless positions have it; says how many do.
with used as (
    select count(*) as n
    from app.positions p
    join app.asset_classes c on c.id = $1 and c.code = p.class and c.tenant_id = p.tenant_id
    where p.tenant_id = $2 and p.archived_at is null
),
archived as (
    update app.asset_classes set archived_at = now(), version = version + 1, updated_at = now()
    from used where id = $1 and used.n = 0
)
select n from used
