-- What stands around an asset at a position ($2) from $4 on: the place, what is installed there, and the orders that matter to its life.
select (select code from app.positions where tenant_id = $1 and id = $2 and archived_at is null) as place,
    (select item.serial_no from app.installations there join app.asset_items item on item.id = there.item
     where there.position = $2 and there.item <> $3 and tstzrange(there.from_at, there.to_at) && tstzrange($4, null)
     order by there.from_at limit 1) as taken_by,
    array(select number from app.work_orders o where o.position_id = $2 and o.requires_outage and o.status in ('in_progress', 'on_hold') order by number) as outages,
    array(select number from app.work_orders o where o.position_id = $2 and o.order_type <> 'decommission'
          and o.status not in ('closed', 'cancelled', 'verified') order by number) as open
