insert into app.models (tenant_id, name, class, failure)
values ($1, $2, $3, $4)
on conflict (tenant_id, name) where archived_at is null do update
set class = excluded.class, failure = excluded.failure, version = app.models.version + 1, updated_at = now()
returning id, version, updated_at
