with forgotten as (
    delete from app.command_attempts where command_id = $1
)
insert into app.command_results (command_id, outcome, detail, at) values ($1, 'failed', $2, $3)
on conflict do nothing
