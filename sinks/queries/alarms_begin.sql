insert into derived.alarms (id, from_tick, upto_tick, rule, version, point, severity, onset, raised, cleared, value, peak, threshold)
select id, from_tick, upto_tick, rule, version, point, severity, onset, raised, cleared, value, peak, threshold
from staged_alarms
where from_tick is not null
