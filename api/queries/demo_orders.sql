insert into app.work_orders (
    id, number, order_type, title, description, site_id, position_id, priority, status, onset, estimate_cost, planned_from, planned_to,
    due_at, assignee_id, started_at, resolved_at, completion_note, no_parts_used, touched_at, version, created_at, updated_at
)
select
    id, number, order_type, title, description, site_id, position_id, priority, status, onset, estimate_cost, planned_from, planned_to,
    due_at, assignee_id, started_at, resolved_at, completion_note, completion_note is not null, touched_at, version, created_at, updated_at
from jsonb_populate_recordset(null::app.work_orders, $1)
