select path from derived.history_files where job = $1
