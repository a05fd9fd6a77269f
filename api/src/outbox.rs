//! Every change of a row that the engine looks at leaves an event behind, in the same transaction.

use crate::problem::Problem;
use dcmms_schemas::domain::Event;
use sqlx::PgConnection;

/// Writes an event; returns its place in the outbox. The relay hears of it when the transaction commits.
pub async fn record(connection: &mut PgConnection, event: &Event) -> Result<i64, Problem> {
    record_all(connection, std::slice::from_ref(event)).await
}

/// Writes events in order; returns the last one's place (0 when there are none).
pub async fn record_all(connection: &mut PgConnection, events: &[Event]) -> Result<i64, Problem> {
    let (mut entities, mut ids, mut versions, mut payloads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for event in events {
        entities.push(event.row.entity());
        ids.push(event.row.id());
        versions.push(event.version);
        payloads.push(serde_json::to_value(event).map_err(|error| {
            tracing::error!(%error, "event does not serialise");
            Problem::internal()
        })?);
    }
    let last = sqlx::query_scalar::<_, Option<i64>>(include_str!("../queries/outbox_record.sql"))
        .bind(entities)
        .bind(ids)
        .bind(versions)
        .bind(payloads)
        .fetch_one(connection)
        .await?;
    Ok(last.unwrap_or(0))
}
