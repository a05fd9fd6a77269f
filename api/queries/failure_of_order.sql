select id, mode, mechanism, cause, cause_due, detection, note, failed_at, detected_at, restored_at, reported_by, at
from app.failure_reports
where order_id = $1
