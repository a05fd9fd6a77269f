-- $3: for good
update app.resends
set failure = $2, state = case when $3 then 'failed' else state end, finished_at = case when $3 then now() end
where id = $1
