with noted as (
    insert into app.adoption_files (adoption_id, file, bytes, readings)
    values ($1, $2, $3, $4)
    on conflict (adoption_id, file) do update set bytes = excluded.bytes, readings = app.adoption_files.readings + excluded.readings
)
update app.adoptions set readings = readings + $4 where id = $1
