select held.status, part.number
from app.reservations held join app.parts part on part.id = held.part
where held.work_order = $1 and held.status in ('backordered', 'reserved', 'picked', 'issued')
order by part.number
