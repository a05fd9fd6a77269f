delete from derived.bindings where job = $1 and tick < $2
