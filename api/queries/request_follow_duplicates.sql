update app.service_requests set duplicate_of = $2, version = version + 1 where duplicate_of = $1
