insert into app.order_tasks (order_id, seq, kind, instruction, mandatory, safety_critical, limit_min, limit_max, unit)
select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7, $8 from app.order_tasks where order_id = $1
returning id, seq, kind, instruction, mandatory, safety_critical, limit_min, limit_max, unit, state, result, out_of_limits, waived_by, waive_reason,
    skip_reason, skipped_by_supervisor, done_by, done_at
