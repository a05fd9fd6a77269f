-- A command is written once for its cause. What was withdrawn and is proved again is asked for anew, under an id of its
-- own, because the domain has ended what it did under the first.
insert into derived.commands (id, job, tick, at, request)
select
    case
        when withdrawn.tick is null then command.id
        else md5(command.id::text || ' again after ' || withdrawn.tick)::uuid
    end,
    command.job, command.tick, command.at, command.request
from staged_commands command
left join lateral (
    select max(earlier.tick) as tick
    from (
        select tick, request from derived.commands
        where request ->> 'type' in ('withdraw_alarm', 'withdraw_prediction')
            and coalesce(request ->> 'alarm', request ->> 'prediction') = coalesce(command.request ->> 'alarm', command.request ->> 'prediction')
        union all
        select tick, request from staged_commands
        where request ->> 'type' in ('withdraw_alarm', 'withdraw_prediction')
            and coalesce(request ->> 'alarm', request ->> 'prediction') = coalesce(command.request ->> 'alarm', command.request ->> 'prediction')
    ) earlier
    where earlier.tick < command.tick
) withdrawn on command.request ->> 'type' in ('raise_order', 'propose_order')
on conflict (id) do nothing
