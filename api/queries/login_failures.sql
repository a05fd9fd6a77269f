select count(*) from app.login_failures where email = $1 and at > now() - interval '15 minutes'
