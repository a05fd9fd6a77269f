-- What changed among alarms after tick $2 (all that are current when it is null), and the tick as of which that is so, in one
-- snapshot: a row taken back weighs -1, one said anew 1, as does one that people did something to after $3.
with told as (
    select coalesce(max(durable_tick), 0) as tick from derived.jobs
),
changed as (
    select id, from_tick, -1 as weight from derived.alarms where $2::bigint is not null and from_tick <= $2 and upto_tick > $2
    union all
    select id, from_tick, 1 from derived.alarms where upto_tick is null and ($2::bigint is null or from_tick > $2)
    union all
    select alarm.id, alarm.from_tick, 1
    from app.alarm_handling handling join derived.alarms alarm on alarm.id = handling.alarm_id and alarm.upto_tick is null
    where $2::bigint is not null and alarm.from_tick <= $2 and handling.updated_at > $3
),
row as (
    select changed.weight, alarm.id, alarm.rule, rule.name as rule_name, alarm.version as rule_version, point.id as point, point.key as point_key,
        point.unit, point.site_id as site, point.position_id as position, alarm.severity, alarm.onset, alarm.raised, alarm.cleared, alarm.value,
        alarm.peak, alarm.threshold, case when alarm.cleared is null then 'active' else 'inactive' end as condition,
        case when handling.acked_at is null then 'unacked' else 'acked' end as acknowledgement,
        case when handling.out_of_service_at is not null then 'out_of_service' when handling.shelved_until > $4 then 'shelved' else 'annunciated' end as visibility,
        handling.acked_at, handling.acked_by, handling.shelved_until, coalesce(handling.version, 0) as version, alarm.from_tick
    from changed
    join derived.alarms alarm on alarm.id = changed.id and alarm.from_tick = changed.from_tick
    join app.points point on point.number = alarm.point
    left join app.rules rule on rule.id = alarm.rule
    left join app.alarm_handling handling on handling.alarm_id = alarm.id
    where point.tenant_id = $1 and ($5::uuid is null or point.site_id = $5) and ($6::text[] is null or alarm.severity = any ($6))
      -- a snapshot shows what calls for attention; what came back to normal and was seen is history
      and ($2::bigint is not null or alarm.cleared is null or handling.acked_at is null)
    order by alarm.onset desc
    limit $7
)
select told.tick,
    (select coalesce(jsonb_agg(jsonb_build_object('weight', weight, 'key', id, 'row', to_jsonb(row) - 'weight') order by from_tick, weight), '[]') from row) as rows
from told
