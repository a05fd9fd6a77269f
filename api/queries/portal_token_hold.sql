select token from app.portal_tokens where token = $1 for update
