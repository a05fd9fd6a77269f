-- One report per failure: saying it again replaces what was said.
insert into app.failure_reports (order_id, mode, mechanism, cause, cause_due, detection, note, failed_at, detected_at, restored_at, reported_by, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (order_id) do update
set mode = excluded.mode, mechanism = excluded.mechanism, cause = excluded.cause, cause_due = excluded.cause_due, detection = excluded.detection,
    note = excluded.note, failed_at = excluded.failed_at, detected_at = excluded.detected_at, restored_at = excluded.restored_at,
    reported_by = excluded.reported_by, at = excluded.at
returning id, mode, mechanism, cause, cause_due, detection, note, failed_at, detected_at, restored_at, reported_by, at
