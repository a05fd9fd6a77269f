-- A request is closed with the order that was made of it.
with closed as (
    update app.service_requests set status = 'closed', version = version + 1, updated_at = $2
    where work_order = $1 and status = 'converted'
    returning tenant_id, id, version
)
insert into app.changes (tenant_id, entity, id, version, event, by_label, by_name, reason, detail, at)
select tenant_id, 'service_requests', id, version, 'close', 'engine', 'engine', 'its order is closed', '{}', $2 from closed
