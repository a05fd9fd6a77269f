update derived.jobs set checkpoint_asked_at = null
where job = $1 and generation = $2 and checkpoint_asked_at is not null
