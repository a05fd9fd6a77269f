-- Those whose window closed before work began are missed, and their history says so.
with missed as (
    update app.pm_occurrences occurrence set status = 'missed', version = occurrence.version + 1, updated_at = $2
    where occurrence.plan = $1 and occurrence.status in ('due', 'generated') and occurrence.window_to < $2
      and not exists (select from app.work_orders o where o.id = occurrence.work_order and o.started_at is not null)
    returning occurrence.*
)
insert into app.changes (tenant_id, entity, id, version, event, by_label, by_name, reason, detail, at)
select tenant_id, 'pm_occurrences', id, version, 'miss', 'engine', 'engine', 'its window has closed', '{}', $2 from missed
