update app.calendars set archived_at = now(), version = version + 1, updated_at = now() where id = $1 returning version
