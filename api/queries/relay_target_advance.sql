update app.relay_targets set seq = greatest(seq, $3) where cluster_id = $1 and topic_id = $2
