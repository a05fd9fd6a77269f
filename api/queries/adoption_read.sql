select id, state, points, readings, failure, requested_by, created_at, finished_at from app.adoptions where tenant_id = $1 and id = $2
