update app.api_keys set revoked_at = now(), version = version + 1, updated_at = now() where id = $1
