select max(seq) from app.outbox where entity = 'point' and id = any ($1)
