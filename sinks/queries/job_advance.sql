with moved as (
    update derived.jobs set
        durable_tick = $2, durable_clock = coalesce($3, durable_clock), watermark = coalesce($4, watermark), history_tick = $5,
        rejects_file = coalesce($6, rejects_file), rejects_bytes = $7, updated_at = now()
    where job = $1
    returning json_build_object('job', job, 'tick', durable_tick)::text as payload
)
select pg_notify('dcmms_durable', payload), case when $8 then pg_notify('dcmms_commands', payload) end
from moved
