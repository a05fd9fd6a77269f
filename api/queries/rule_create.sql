insert into app.rules (tenant_id, name, scope_point, scope_site, scope_class, scope_kind, "group")
values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing
returning id
