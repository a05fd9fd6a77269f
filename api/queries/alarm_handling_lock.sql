-- Makes the row where there is none, holds it, and tells its version.
insert into app.alarm_handling as handling (alarm_id, version) values ($1, 0)
on conflict (alarm_id) do update set version = handling.version
returning version
