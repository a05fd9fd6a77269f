-- One set-up at a time; held until the transaction ends.
select pg_advisory_xact_lock(hashtext('dcmms.setup'))
