with moved as (
    update app.resend_files set bytes = $4, batch_upto = null, batch_ends = null
    where resend_id = $1 and job = $2 and number = $3
)
update app.resends set sent = sent + $5, skipped = skipped + $6, failure = null where id = $1
