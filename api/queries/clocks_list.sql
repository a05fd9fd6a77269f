-- Clocks with the orders they are of; those due first come first, those without a due moment last.
select clock.order_id, o.number as order_number, o.title as order_title, o.status as order_status, o.site_id, clock.metric, clock.policy as policy_id,
    (select name from app.sla_policies where id = clock.policy) as policy_name, clock.policy_version, clock.state, clock.started, clock.stopped, clock.due,
    clock.target_s, clock.elapsed_s, clock.warned_percent, clock.explanation, clock.from_tick
from derived.sla_clocks clock
join app.work_orders o on o.id = clock.order_id
where o.tenant_id = $1
  and case when $2::bigint is null then clock.upto_tick is null else clock.from_tick <= $2 and (clock.upto_tick is null or clock.upto_tick > $2) end
  and ($3::text[] is null or clock.state = any ($3))
  and ($4::uuid is null or clock.order_id = $4)
  and ($5::text is null or clock.metric = $5)
  and ($6::uuid is null or o.site_id = $6)
  and ($7::uuid is null or o.assignee_id = (select id from app.technicians where user_id = $7))
  and ($9::uuid is null or (coalesce(clock.due, 'infinity'), clock.order_id, clock.metric) > (coalesce($8::timestamptz, 'infinity'), $9, $10))
order by coalesce(clock.due, 'infinity'), clock.order_id, clock.metric
limit $11
