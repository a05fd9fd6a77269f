-- What people did to the alarm follows it to its new id; what they did to the new id already stands.
with old as (
    delete from app.alarm_handling where alarm_id = $1 returning *
)
insert into app.alarm_handling (alarm_id, acked_at, acked_by, shelved_until, shelve_reason, shelved_by, out_of_service_at, out_of_service_reason, moved_from, updated_at)
select $2, max(acked_at), max(acked_by), max(shelved_until), max(shelve_reason), max(shelved_by), max(out_of_service_at), max(out_of_service_reason),
    coalesce((select moved_from from old), '{}') || $1, $3
from old
on conflict (alarm_id) do update
set acked_at = coalesce(app.alarm_handling.acked_at, excluded.acked_at),
    acked_by = coalesce(app.alarm_handling.acked_by, excluded.acked_by),
    shelved_until = coalesce(app.alarm_handling.shelved_until, excluded.shelved_until),
    shelve_reason = coalesce(app.alarm_handling.shelve_reason, excluded.shelve_reason),
    shelved_by = coalesce(app.alarm_handling.shelved_by, excluded.shelved_by),
    out_of_service_at = coalesce(app.alarm_handling.out_of_service_at, excluded.out_of_service_at),
    out_of_service_reason = coalesce(app.alarm_handling.out_of_service_reason, excluded.out_of_service_reason),
    moved_from = app.alarm_handling.moved_from || excluded.moved_from,
    version = app.alarm_handling.version + 1, updated_at = excluded.updated_at
