update app.pm_occurrences set status = 'generated', work_order = $2, version = version + 1 where id = $1
