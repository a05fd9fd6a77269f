//! What the demo shows in its log: the first alarm, the first proposal, the first order.

use crate::shutdown::Stop;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use std::{collections::BTreeSet, time::Duration};

const LOOK: Duration = Duration::from_secs(1);

#[derive(sqlx::FromRow)]
struct Event {
    kind: String,
    id: String,
    said: String,
    at: DateTime<Utc>,
}

/// Tells the first of each kind, then ends. Only a spectator: when the database does not answer it looks again.
pub(super) async fn tell(pool: PgPool, stop: Stop) {
    let since = Utc::now();
    let mut told = BTreeSet::new();
    while told.len() < 3 {
        let events = sqlx::query_as::<_, Event>(include_str!("../../queries/story.sql")).bind(since).fetch_all(&pool).await;
        match events {
            Ok(events) => {
                for event in events {
                    if told.insert(event.kind.clone()) {
                        tracing::info!(id = event.id, at = %event.at, "first {}: {}", event.kind, event.said);
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "cannot look for news yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.requested() => return,
        }
    }
}
