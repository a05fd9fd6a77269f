insert into app.numbers as counted (tenant_id, kind, year, last) values ($1, $2, $3, 1)
on conflict (tenant_id, kind, year) do update set last = counted.last + 1
returning last
