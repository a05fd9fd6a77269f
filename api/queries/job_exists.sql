select exists (select from derived.jobs where job = $1)
