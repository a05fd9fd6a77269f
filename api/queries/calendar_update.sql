update app.calendars set name = $2, zone = $3, openings = $4, version = version + 1, updated_at = now() where id = $1
