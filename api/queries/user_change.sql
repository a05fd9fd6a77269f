-- Changes a user and ends the sessions that knew the old role, status or password.
with ended as (
    delete from app.sessions session using app.users u
    where session.user_id = $1 and u.id = $1 and (u.role <> $3 or u.status <> $4 or $5::text is not null)
)
update app.users
set name = $2, role = $3, status = $4, password_hash = coalesce($5, password_hash), version = version + 1, updated_at = now()
where id = $1
returning id, email, name, role, status, version, created_at, updated_at
