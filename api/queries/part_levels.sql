select level.store, store.code as store_code, level.on_hand, level.reserved, level.on_hand - level.reserved as available
from app.stock_levels level join app.stores store on store.id = level.store
where level.tenant_id = $1 and level.part = $2
order by store.code
limit 1000
