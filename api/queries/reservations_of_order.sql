select id from app.reservations where work_order = $1 and status in ('requested', 'backordered', 'reserved', 'picked') order by part, id
