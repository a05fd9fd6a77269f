select id, number from app.work_orders where source = $1 and source_id = $2 and status not in ('closed', 'cancelled')
