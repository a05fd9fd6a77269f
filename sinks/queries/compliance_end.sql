update derived.compliance r set upto_tick = s.upto_tick
from staged_compliance s
where s.from_tick is null and r.upto_tick is null
  and r.site = s.site and r.month = s.month and r.metric = s.metric
