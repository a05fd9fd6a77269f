insert into app.holidays (calendar_id, date, name)
select $1, date, name from unnest($2::date[], $3::text[]) as holiday (date, name)
