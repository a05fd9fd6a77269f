-- Every order that a cause led to, but those cancelled, held until the transaction ends.
select tenant_id, id from app.work_orders where source = $1 and source_id = $2 and status <> 'cancelled' order by id for update
