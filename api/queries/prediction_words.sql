select prediction.contributions, prediction.model, prediction.version, (select name from app.models where id = prediction.model) as model_name
from derived.predictions prediction
where prediction.id = $1
order by prediction.from_tick desc
limit 1
