select tenant_id, id from app.pm_plans where status = 'active' and archived_at is null order by id
