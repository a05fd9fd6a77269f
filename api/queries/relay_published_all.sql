-- Of what this transaction's snapshot shows; what commits meanwhile stays unpublished and follows.
with marked as (
    update app.outbox set published_at = clock_timestamp() where published_at is null
)
select coalesce(max(seq), 0) from app.outbox
