with swept as (
    delete from app.login_failures where at < now() - interval '1 day'
)
insert into app.login_failures (email) values ($1)
