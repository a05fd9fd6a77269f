select from_at, to_at, reason from app.order_holds where order_id = $1 order by from_at
