-- Frees what has expired for orders on which no work has begun, and says so in the history.
with expired as (
    update app.reservations held set status = 'expired', version = held.version + 1, updated_at = $4
    from app.work_orders o
    where o.id = held.work_order and held.tenant_id = $1 and held.part = $2 and held.store = $3 and held.status = 'reserved'
      and held.expires_at <= $4 and o.started_at is null
    returning held.id, held.quantity, held.version
),
noted as (
    insert into app.changes (tenant_id, entity, id, version, event, by_label, by_name, reason, detail, at)
    select $1, 'reservations', id, version, 'expire', 'engine', 'engine', 'another order needs it', '{}', $4 from expired
)
update app.stock_levels set reserved = reserved - freed.quantity
from (select coalesce(sum(quantity), 0) as quantity from expired) freed
where part = $2 and store = $3
