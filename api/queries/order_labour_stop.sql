update app.labour_entries set to_at = greatest($2, from_at + interval '1 second') where order_id = $1 and to_at is null
