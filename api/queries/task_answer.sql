update app.order_tasks
set state = $3, result = $4, out_of_limits = $5, waived_by = $6, waive_reason = $7, skip_reason = $8, skipped_by_supervisor = $9, done_by = $10, done_at = $11
where order_id = $1 and id = $2
returning id, seq, kind, instruction, mandatory, safety_critical, limit_min, limit_max, unit, state, result, out_of_limits, waived_by, waive_reason,
    skip_reason, skipped_by_supervisor, done_by, done_at
