update derived.alarms r set upto_tick = s.upto_tick
from staged_alarms s
where s.from_tick is null and r.upto_tick is null
  and r.id = s.id
