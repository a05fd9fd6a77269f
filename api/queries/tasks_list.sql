select id, seq, kind, instruction, mandatory, safety_critical, limit_min, limit_max, unit, state, result, out_of_limits, waived_by, waive_reason,
    skip_reason, skipped_by_supervisor, done_by, done_at
from app.order_tasks
where order_id = $1
order by seq
