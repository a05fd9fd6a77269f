select id, number from app.work_orders
where source = 'prediction' and position_id = $1 and status not in ('closed', 'cancelled')
order by created_at desc
limit 1
