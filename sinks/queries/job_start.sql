update derived.jobs set
    generation = $2, fingerprint = $3, sources = $4, workers = $5, state = 'running', failure = null,
    started_at = now(), updated_at = now()
where job = $1
