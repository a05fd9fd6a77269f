select r.source, r.partition, r.place, r.block, r.offsets
from app.resent r
join unnest($1::text[], $2::int[], $3::int[], $4::bigint[]) as wanted (source, partition, place, block)
  using (source, partition, place, block)
