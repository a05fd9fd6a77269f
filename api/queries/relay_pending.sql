select seq, entity, id, payload from app.outbox where published_at is null order by seq limit $1
