-- An occurrence that was skipped or absorbed stays so; one that the law demands is missed when its order is cancelled.
update app.pm_occurrences occurrence
set status = case when $2 = 'skipped' and plan.statutory then 'missed' else $2 end, done_at = $3, reason = coalesce($4, reason),
    version = occurrence.version + 1, updated_at = $5
from app.pm_plans plan
where plan.id = occurrence.plan and occurrence.work_order = $1 and occurrence.status in ('due', 'generated', 'missed', 'done')
