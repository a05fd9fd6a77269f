insert into app.relay_targets (cluster_id, topic_id, topic, snapshot_seq, seq, at) values ($1, $2, $3, $4, $4, clock_timestamp())
on conflict (cluster_id, topic_id) do update set snapshot_seq = excluded.snapshot_seq, seq = excluded.seq, at = excluded.at
