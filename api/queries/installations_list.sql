select there.id, there.item, item.serial_no, there.position, place.code as position_code, there.from_at, there.to_at
from app.installations there
join app.asset_items item on item.id = there.item
join app.positions place on place.id = there.position
where there.tenant_id = $1 and ($2::uuid is null or there.item = $2) and ($3::uuid is null or there.position = $3)
order by there.from_at desc
limit 1000
