update derived.jobs set checkpoint_asked_at = now()
where job = $1 and state = 'running'
returning durable_tick
