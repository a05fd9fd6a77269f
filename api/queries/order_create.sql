-- Without an estimate the usual one of its type counts. Nothing is made when the cause has an open order already.
insert into app.work_orders (tenant_id, number, order_type, title, description, site_id, position_id, location, priority, source, source_id, command_id,
    because, onset, estimate_cost, requires_outage, signature_required, required_skills, required_permits, due_at, created_by, touched_at, created_at, updated_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce($15, (select estimate_default from app.order_types where code = $3 and $10 <> 'manual')),
    $16, $17, $18, $19, $20, $21, $22, $23, $23
on conflict (source, source_id) where source <> 'manual' and status not in ('closed', 'cancelled') do nothing
returning id
