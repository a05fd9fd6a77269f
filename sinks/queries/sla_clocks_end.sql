update derived.sla_clocks r set upto_tick = s.upto_tick
from staged_sla_clocks s
where s.from_tick is null and r.upto_tick is null
  and r.order_id = s.order_id and r.metric = s.metric
