select not exists (select from app.outbox where seq <= $1 and published_at is null)
