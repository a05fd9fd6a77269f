update derived.jobs set state = $3, failure = $4, updated_at = now()
where job = $1 and generation = $2
