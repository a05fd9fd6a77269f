-- Whether absorption leads from the larger plan ($1) back to this one ($2).
with recursive above as (
    select $1::uuid as plan
    union
    select next.absorbed_by from above join app.pm_plans next on next.id = above.plan where next.absorbed_by is not null
)
select exists (select from above where plan = $2)
