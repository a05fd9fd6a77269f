-- Whether what a scope names is there; what it does not name counts as there.
select $2::text is null or exists (select from app.points where tenant_id = $1 and key = $2 and archived_at is null) as point_exists,
       $3::uuid is null or exists (select from app.sites where tenant_id = $1 and id = $3 and archived_at is null) as site_exists,
       $4::text is null or exists (select from app.asset_classes where tenant_id = $1 and code = $4 and archived_at is null) as class_exists,
       $5::text is null or exists (select from app.points where tenant_id = $1 and kind = $5 and archived_at is null) as kind_exists
