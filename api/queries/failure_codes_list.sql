select code, name, classes from app.failure_codes
where kind = $1 and ($2::text is null or classes = '{}' or $2 = any (classes))
order by code
