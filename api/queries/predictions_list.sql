select prediction.id, prediction.model as model_id, model.name as model_name, prediction.version as model_version, prediction.site as site_id,
    prediction.position as position_id, position.code as position_code, position.class as position_class, prediction.window_start,
    prediction.probability, prediction.threshold, prediction.contributions, prediction.proposes, prediction.from_tick,
    o.id as order_id, o.number as order_number
from derived.predictions prediction
join app.sites site on site.id = prediction.site
left join app.positions position on position.id = prediction.position
left join app.models model on model.id = prediction.model
left join lateral (
    select id, number from app.work_orders
    where source_id = prediction.id and source = 'prediction'
    order by (status = 'cancelled'), created_at desc
    limit 1
) o on true
where site.tenant_id = $1
  and case when $2::bigint is null then prediction.upto_tick is null else prediction.from_tick <= $2 and (prediction.upto_tick is null or prediction.upto_tick > $2) end
  and ($3::uuid is null or prediction.site = $3)
  and ($4::uuid is null or prediction.position = $4)
  and ($5::uuid is null or prediction.model = $5)
  and ($6::double precision is null or prediction.probability >= $6)
  and ($7::boolean is null or prediction.proposes = $7)
  and ($8::timestamptz is null or prediction.window_start >= $8)
  and ($9::timestamptz is null or prediction.window_start < $9)
  and ($10::timestamptz is null or (prediction.window_start, prediction.id) < ($10, $11))
order by prediction.window_start desc, prediction.id desc
limit $12
