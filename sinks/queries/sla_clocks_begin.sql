insert into derived.sla_clocks (order_id, metric, from_tick, upto_tick, policy, policy_version, state, started, stopped, due, target_s, elapsed_s, warned_percent, explanation)
select order_id, metric, from_tick, upto_tick, policy, policy_version, state, started, stopped, due, target_s, elapsed_s, warned_percent, explanation
from staged_sla_clocks
where from_tick is not null
