-- Whoever inserts the row carries the command out; a second executor waits here and then finds it done.
insert into app.command_results (command_id, outcome, detail, at) values ($1, 'done', '', $2)
on conflict do nothing
returning command_id
