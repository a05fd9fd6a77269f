insert into app.resend_files (resend_id, job, number, bytes_total)
values ($1, $2, $3, $4)
on conflict (resend_id, job, number) do update set bytes_total = excluded.bytes_total
