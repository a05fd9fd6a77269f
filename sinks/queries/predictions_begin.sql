insert into derived.predictions (id, from_tick, upto_tick, model, version, site, position, window_start, probability, threshold, contributions, proposes)
select id, from_tick, upto_tick, model, version, site, position, window_start, probability, threshold, contributions, proposes
from staged_predictions
where from_tick is not null
