with forgotten as (
    delete from app.command_attempts where command_id = $1
)
update app.command_results set outcome = $2, detail = $3, order_id = $4 where command_id = $1
