-- Of its own, so that the statements after it see what those before it in the queue did.
select pg_advisory_xact_lock(hashtextextended('relations ' || $1, 11))
