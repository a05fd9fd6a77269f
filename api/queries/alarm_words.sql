-- How a person would name the rule and the point.
select (select name from app.rules where id = $1) as rule, (select key from app.points where number = $2) as point
