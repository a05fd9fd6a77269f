select job, rejects_file, rejects_bytes from derived.jobs
