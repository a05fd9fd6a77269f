insert into derived.compliance (site, month, metric, from_tick, upto_tick, value, numerator, denominator, unit, basis, reason, through)
select site, month, metric, from_tick, upto_tick, value, numerator, denominator, unit, basis, reason, through
from staged_compliance
where from_tick is not null
