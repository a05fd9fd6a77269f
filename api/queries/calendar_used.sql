select count(*) from app.sla_policies where calendar_id = $1 and archived_at is null
