insert into app.failure_reports (order_id, mode, mechanism, cause, detection, note, failed_at, detected_at, restored_at, reported_by, at)
select order_id, mode, mechanism, cause, detection, note, failed_at, detected_at, restored_at, reported_by, coalesce(restored_at, detected_at)
from jsonb_populate_recordset(null::app.failure_reports, $1)
