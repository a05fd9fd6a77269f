select site.name as site, place.code as position, place.name, token.tenant_id, site.id as site_id, place.id as position_id,
    (select count(*) from app.service_requests request
     where request.position = place.id and request.portal and request.created_at > $2::timestamptz - interval '1 hour') as asked_last_hour
from app.portal_tokens token
join app.positions place on place.id = token.position
join app.sites site on site.id = place.site_id
where token.token = $1 and token.revoked_at is null and place.archived_at is null
