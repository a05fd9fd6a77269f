-- Newest first; the id decides between equals.
select * from app.order_rows
where tenant_id = $1
  and ($2::text[] is null or status = any ($2))
  and ($3::text[] is null or order_type = any ($3))
  and ($4::text[] is null or priority = any ($4))
  and ($5::uuid is null or site_id = $5)
  and ($6::uuid is null or position_id = $6)
  and ($7::uuid is null or assignee_id = $7)
  and ($8::text[] is null or source = any ($8))
  and ($9::uuid is null or source_id = $9)
  and ($10::text is null or number ilike '%' || $10 || '%' or title ilike '%' || $10 || '%')
  and ($11::uuid is null or assignee_id = (select id from app.technicians where user_id = $11))
  and ($12::timestamptz is null or (created_at, id) < ($12, $13))
order by created_at desc, id desc
limit $14
