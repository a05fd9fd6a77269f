select count(*) from app.stock_levels where store = $1 and on_hand > 0
