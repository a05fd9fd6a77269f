select drain, requested_by from app.job_stops where job = $1 and generation >= $2
