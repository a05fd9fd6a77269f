insert into app.notices (tenant_id, order_id, alarm_id, kind, text, at) values ($1, $2, $3, $4, $5, $6)
