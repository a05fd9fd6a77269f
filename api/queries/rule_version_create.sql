insert into app.rule_versions (rule_id, version, valid_from, enabled, severity, condition, order_template, created_by)
values ($1, $2, coalesce($3, now()), $4, $5, $6, $7, $8)
