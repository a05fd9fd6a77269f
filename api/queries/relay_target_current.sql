-- Whether this target is the one told last: another in between was told what this one was not.
select coalesce((select (cluster_id, topic_id) = ($1, $2) from app.relay_targets order by at desc, seq desc limit 1), false)
