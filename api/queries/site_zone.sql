select zone from app.sites where id = $1
