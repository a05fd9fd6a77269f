insert into app.model_versions (model_id, version, artifact, training) values ($1, $2, $3, $4)
