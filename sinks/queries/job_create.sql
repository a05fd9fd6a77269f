insert into derived.jobs (job) values ($1) on conflict (job) do nothing
