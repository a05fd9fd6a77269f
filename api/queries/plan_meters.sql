-- The meters of positions, as of their last reading, with what they counted a day over the 90 days before it.
select distinct on (meter.position, meter.register_type) meter.position, meter.register_type, last.total, last.at,
    case when last.at > first.at then (last.total - first.total) / (extract(epoch from last.at - first.at) / 86400)::numeric end as per_day
from app.meters meter
join lateral (select total, at from app.meter_readings reading where reading.meter = meter.id order by at desc limit 1) last on true
join lateral (select total, at from app.meter_readings reading where reading.meter = meter.id and reading.at >= last.at - interval '90 days' order by at limit 1) first on true
where meter.tenant_id = $1 and meter.position = any ($2) and meter.archived_at is null
order by meter.position, meter.register_type, last.at desc
