select pg_try_advisory_xact_lock(hashtextextended('dcmms.relay', 0))
