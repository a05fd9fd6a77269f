select coalesce(max(durable_tick), 0) from derived.jobs
