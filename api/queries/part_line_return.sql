-- Takes what came back off the order's parts used; a line that comes back whole goes. Answers what a piece had cost.
with line as (
    select id, quantity, unit_cost from app.part_lines where reservation = $1 for update
),
less as (
    update app.part_lines kept set quantity = kept.quantity - $2 from line where kept.id = line.id and line.quantity > $2
),
gone as (
    delete from app.part_lines kept using line where kept.id = line.id and line.quantity <= $2
)
select unit_cost from line
