-- A rule with its first version; nothing where the name is taken.
with created as (
    insert into app.rules (name, scope_point, scope_site, scope_class, scope_kind, "group")
    values ($1, $2, $3, $4, $5, $6)
    on conflict (tenant_id, name) where archived_at is null do nothing
    returning id
),
first_version as (
    insert into app.rule_versions (rule_id, version, valid_from, enabled, severity, condition, order_template, created_by)
    select id, 1, $7, $8, $9, $10, $11, 'setup'
    from created
)
select id
from created
