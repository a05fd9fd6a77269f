-- Commands not carried out yet, in tick order. One that waits for another try holds back only those about the same cause.
with pending as (
    select command.id, command.tick, command.at, command.request, attempt.attempts, attempt.next_at,
        array_position(array['raise_order', 'propose_order', 'move_alarm', 'withdraw_alarm', 'withdraw_prediction'], command.request ->> 'type') as rank,
        coalesce(command.request ->> 'alarm', command.request ->> 'from', command.request ->> 'prediction') as cause
    from derived.commands command
    left join app.command_attempts attempt on attempt.command_id = command.id
    where not exists (select from app.command_results result where result.command_id = command.id)
)
select id, at, request, coalesce(attempts, 0) as attempts
from pending
where (next_at is null or next_at <= $1)
  and not exists (
      select from pending earlier
      where earlier.cause = pending.cause and earlier.next_at > $1 and (earlier.tick, earlier.rank, earlier.id) < (pending.tick, pending.rank, pending.id)
  )
order by tick, rank, id
limit $2
