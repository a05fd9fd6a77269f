-- Alarms with what people did to them, the newest onset first. $2 names one alarm: then its newest row, be it retracted.
with alarm as (
    select *
    from derived.alarms
    where case
        when $2::uuid is not null then id = $2
        when $3::bigint is null then upto_tick is null
        else from_tick <= $3 and (upto_tick is null or upto_tick > $3)
    end
),
seen as (
    select alarm.id, alarm.rule as rule_id, rule.name as rule_name, alarm.version as rule_version, alarm.point as point_number, point.id as point_id,
        point.key as point_key, point.kind, point.unit, site.id as site_id, site.code as site_code, position.id as position_id,
        position.code as position_code, alarm.severity, alarm.onset, alarm.raised, alarm.cleared, alarm.value, alarm.peak, alarm.threshold,
        alarm.from_tick, alarm.upto_tick, alarm.upto_tick is not null and $3::bigint is null as retracted,
        case when alarm.cleared is null then 'active' else 'inactive' end as condition,
        case when handling.acked_at is null then 'unacked' else 'acked' end as acknowledgement,
        case when handling.out_of_service_at is not null then 'out_of_service' when handling.shelved_until > $4 then 'shelved' else 'annunciated' end as visibility,
        handling.acked_at, handling.acked_by, handling.shelved_until, handling.shelve_reason, handling.shelved_by,
        coalesce(handling.moved_from, '{}') as moved_from, coalesce(handling.version, 0) as version, o.id as order_id, o.number as order_number
    from alarm
    join app.points point on point.number = alarm.point
    join app.sites site on site.id = point.site_id
    left join app.positions position on position.id = point.position_id
    left join app.rules rule on rule.id = alarm.rule
    left join app.alarm_handling handling on handling.alarm_id = alarm.id
    left join lateral (
        select id, number from app.work_orders
        where source_id = alarm.id and source = 'alarm'
        order by (status = 'cancelled'), created_at desc
        limit 1
    ) o on true
    where point.tenant_id = $1
      -- a user who sees only what is assigned to them
      and ($5::uuid is null or exists (
          select from app.work_orders mine join app.technicians technician on technician.id = mine.assignee_id
          where mine.source_id = alarm.id and technician.user_id = $5))
)
select * from seen
where ($6::text[] is null or severity = any ($6))
  and ($7::uuid is null or site_id = $7)
  and ($8::text is null or point_key = $8)
  and ($9::timestamptz is null or cleared is null or cleared > $9)
  and ($10::timestamptz is null or onset < $10)
  -- states come as combinations of the three axes: schemas::alarm::state is the table
  and ($11::text[] is null or (condition, acknowledgement, visibility) in (select * from unnest($11::text[], $12::text[], $13::text[])))
  and ($14::timestamptz is null or (onset, id) < ($14, $15))
order by onset desc, id desc, from_tick desc
limit $16
