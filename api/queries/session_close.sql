delete from app.sessions where token_sha256 = $1
