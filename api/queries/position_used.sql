select (select count(*) from app.positions where parent_id = $1 and archived_at is null)
     + (select count(*) from app.points where position_id = $1 and archived_at is null)
