insert into app.stock_levels (tenant_id, part, store) values ($1, $2, $3) on conflict do nothing
