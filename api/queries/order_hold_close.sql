update app.order_holds set to_at = greatest($2, from_at) where order_id = $1 and to_at is null
