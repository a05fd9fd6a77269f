insert into app.order_numbers (tenant_id, year, last) values ($1, $2, 1)
on conflict (tenant_id, year) do update set last = app.order_numbers.last + 1
returning last
