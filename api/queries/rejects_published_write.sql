insert into app.rejects_published (job, number, bytes)
values ($1, $2, $3)
on conflict (job) do update set number = excluded.number, bytes = excluded.bytes
