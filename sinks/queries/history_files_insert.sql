insert into derived.history_files (path, job, shard, day, from_tick, upto_tick, rows, bytes, first_at, last_at, tick)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
