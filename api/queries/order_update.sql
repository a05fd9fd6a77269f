update app.work_orders
set order_type = $2, title = $3, description = $4, position_id = $5, location = $6, priority = $7, status = $8, onset = $9, estimate_cost = $10,
    requires_outage = $11, signature_required = $12, required_skills = $13, required_permits = $14, planned_from = $15, planned_to = $16, due_at = $17,
    assignee_id = $18, submitted_by = $19, approved_by = $20, executed_by = $21, verified_by = $22, started_at = $23, resolved_at = $24,
    completion_note = $25, signed_by = $26, no_parts_used = $27, touched_at = $28, source_id = $29, version = version + 1, updated_at = $30
where id = $1
returning version
