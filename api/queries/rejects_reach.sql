select job, sources, rejects_file, rejects_bytes from derived.jobs
