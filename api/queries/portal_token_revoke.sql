update app.portal_tokens set revoked_at = $2 where position = $1 and revoked_at is null
