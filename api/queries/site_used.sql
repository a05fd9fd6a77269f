select (select count(*) from app.positions where site_id = $1 and archived_at is null)
     + (select count(*) from app.points where site_id = $1 and archived_at is null)
