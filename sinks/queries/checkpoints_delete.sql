delete from derived.checkpoints where job = $1 and tick = any($2)
