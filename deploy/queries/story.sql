-- the newest thing of each kind that the engine said or caused since the demo started
with since as (select $1::timestamptz as at)
select 'alarm' as kind, alarms.id::text as id, format('%s on %s: %s', rules.name, points.key, alarms.severity) as said, alarms.raised as at
from derived.alarms
join app.points on points.number = alarms.point
join app.rules on rules.id = alarms.rule
where alarms.upto_tick is null and alarms.cleared is null
union all
select 'proposal', predictions.id::text,
       format('%s may fail: %s %% likely', positions.name, round(100 * predictions.probability::numeric)), predictions.window_start
from derived.predictions
join app.positions on positions.id = predictions.position
where predictions.upto_tick is null and predictions.proposes
union all
select 'order', work_orders.id::text, format('%s %s (from %s)', work_orders.number, work_orders.title, work_orders.source), work_orders.created_at
from app.work_orders, since
where work_orders.source <> 'manual' and work_orders.created_at >= since.at
order by at
