select job, number, bytes_total, bytes, batch_upto, batch_ends
from app.resend_files
where resend_id = $1 and bytes < bytes_total
order by job, number
limit 1
