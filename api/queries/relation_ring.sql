-- Whether the target already leads to the source, leaving out the relation that is being changed.
with recursive reached as (
    select $4::uuid as position
    union
    select next.target from reached join app.asset_relations next on next.source = reached.position
    where next.tenant_id = $1 and next.kind = $2 and next.archived_at is null and ($5::uuid is null or next.id <> $5)
)
select exists (select from reached where position = $3)
