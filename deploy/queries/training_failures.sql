-- Reported failures of a class by a mechanism.
select orders.position_id, report.failed_at, report.restored_at
from app.failure_reports as report
join app.work_orders as orders on orders.id = report.order_id
join app.positions as position on position.id = orders.position_id
where position.class = $1 and report.mechanism = $2 and report.failed_at >= $3 and report.failed_at < $4
order by report.failed_at, orders.position_id
