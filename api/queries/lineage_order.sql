-- From an order back to its samples, in one round: order, command, alarm or prediction in all its versions, rule or model
-- version, points, and the minutes around the onset.
with o as (
    select id, source, source_id, command_id, position_id, onset from app.work_orders where tenant_id = $1 and id = $2
),
command as (
    select command.id, command.job, command.tick, command.at, command.request, result.outcome, result.detail, result.at as carried_out_at
    from o join derived.commands command on command.id = o.command_id
    left join app.command_results result on result.command_id = command.id
),
alarm as (
    select alarm.* from o join derived.alarms alarm on o.source = 'alarm' and alarm.id = o.source_id
),
alarm_newest as (
    select * from alarm order by from_tick desc limit 1
),
prediction as (
    select prediction.* from o join derived.predictions prediction on o.source = 'prediction' and prediction.id = o.source_id
),
prediction_newest as (
    select * from prediction order by from_tick desc limit 1
),
rule as (
    select rule.id, rule.name, rule.scope_point, rule.scope_site, rule.scope_class, rule.scope_kind, rule."group", version.version, version.valid_from,
        version.severity, version.condition, version.order_template, version.created_by
    from alarm_newest alarm join app.rules rule on rule.id = alarm.rule
    left join app.rule_versions version on version.rule_id = rule.id and version.version = alarm.version
),
model as (
    select model.id, model.name, model.class, model.failure, version.version, version.artifact, version.training, version.created_at
    from prediction_newest prediction join app.models model on model.id = prediction.model
    left join app.model_versions version on version.model_id = model.id and version.version = prediction.version
),
point as (
    select point.id, point.number, point.key, point.kind, point.unit
    from app.points point
    where point.number in (select point from alarm_newest)
       or (point.position_id in (select position from prediction_newest)
           and point.kind in (select feature ->> 'kind' from model, jsonb_array_elements(model.artifact -> 'features') feature))
),
-- around the onset for an alarm, the scored hour for a prediction
span as (
    select onset - interval '10 minutes' as from_at, onset + interval '10 minutes' as to_at from o where source = 'alarm'
    union all
    select window_start, window_start + interval '1 hour' from prediction_newest
),
sample as (
    select point.key, minute.start, minute.n, minute.min, minute.max, minute.mean, minute.first, minute.first_at, minute.last, minute.last_at, minute.tick
    from span cross join point
    join derived.rollups_1m minute on minute.point = point.number and minute.start >= span.from_at - interval '1 minute' and minute.start <= span.to_at
)
select (select to_jsonb(command) from command) as command,
    (select jsonb_agg(to_jsonb(alarm) order by from_tick) from alarm) as alarm,
    (select to_jsonb(rule) from rule) as rule,
    (select jsonb_agg(to_jsonb(prediction) order by from_tick) from prediction) as prediction,
    (select to_jsonb(model) from model) as model,
    (select coalesce(jsonb_agg(to_jsonb(point) order by key), '[]') from point) as points,
    (select coalesce(jsonb_agg(to_jsonb(sample) order by key, start), '[]') from sample) as samples
