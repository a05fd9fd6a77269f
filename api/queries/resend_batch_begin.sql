update app.resend_files set batch_upto = $4, batch_ends = $5 where resend_id = $1 and job = $2 and number = $3
