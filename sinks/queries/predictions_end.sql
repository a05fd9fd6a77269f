update derived.predictions r set upto_tick = s.upto_tick
from staged_predictions s
where s.from_tick is null and r.upto_tick is null
  and r.id = s.id
