delete from app.cycle_count_lines where count = $1
