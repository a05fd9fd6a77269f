-- The newest event of every row that is still there: what a topic must be told first. What others point at comes first.
with newest as (
    select distinct on (entity, id) seq, entity, id, payload
    from app.outbox
    order by entity, id, version desc
)
select seq, entity, id, payload
from newest
where not coalesce((payload ->> 'removed')::boolean, false)
  and ($1::int is null or (array_position(array['site', 'position', 'point', 'calendar', 'policy', 'rule', 'model', 'order'], entity), seq) > ($1, $2))
order by array_position(array['site', 'position', 'point', 'calendar', 'policy', 'rule', 'model', 'order'], entity), seq
limit $3
