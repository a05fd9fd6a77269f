select r.id, r.name, r."group",
       jsonb_strip_nulls(jsonb_build_object('point', r.scope_point, 'site', r.scope_site, 'class', r.scope_class, 'kind', r.scope_kind)) as scope,
       (
           select coalesce(jsonb_agg(jsonb_build_object(
               'version', v.version, 'valid_from', v.valid_from, 'enabled', v.enabled, 'severity', v.severity,
               'condition', v.condition, 'order', v.order_template, 'created_by', v.created_by, 'created_at', v.created_at
           ) order by v.version), '[]')
           from app.rule_versions v
           where v.rule_id = r.id
       ) as versions,
       r.version, r.created_at, r.updated_at
from app.rules r
where r.tenant_id = $1 and r.id = $2 and r.archived_at is null
