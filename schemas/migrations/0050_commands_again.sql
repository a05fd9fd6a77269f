-- A cause can be withdrawn and proved again; the sink looks for the last withdrawal of a cause.
create index commands_withdrawn on derived.commands ((coalesce(request ->> 'alarm', request ->> 'prediction')), tick desc)
    where request ->> 'type' in ('withdraw_alarm', 'withdraw_prediction');
