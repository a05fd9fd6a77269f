-- The newest onset of the active alarms at positions, by rule.
select point.position_id, alarm.rule, max(alarm.onset)
from derived.alarms alarm
join app.points point on point.number = alarm.point
where point.tenant_id = $1 and point.position_id = any ($2) and alarm.upto_tick is null and alarm.cleared is null
group by point.position_id, alarm.rule
