select * from app.order_rows
where tenant_id = $1 and id = $2
  -- $3: a user who sees only what is assigned to them
  and ($3::uuid is null or assignee_id = (select id from app.technicians where user_id = $3))
