delete from derived.bindings where job = $1
