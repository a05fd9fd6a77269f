//! Hearing from Postgres that a tick is durable.

use crate::{service::Service, wake::Faults};
use serde::Deserialize;
use sqlx::postgres::PgListener;
use std::time::Duration;

/// Before listening anew after a connection that was lost.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Durable {
    tick: u64,
}

/// Moves [`Service::durable`] on whenever the sink commits, for ever; waits out a database that is down.
pub async fn listen(service: &Service) {
    let mut faults = Faults::new("hearing of durable ticks");
    loop {
        let pause = match hear(service, &mut faults).await {
            Ok(()) => PAUSE,
            Err(error) => faults.note(&error),
        };
        tokio::time::sleep(pause).await;
    }
}

async fn hear(service: &Service, faults: &mut Faults) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&service.pool).await?;
    listener.listen("dcmms_durable").await?;
    // What was committed before we listened.
    let tick: i64 = sqlx::query_scalar(include_str!("../../queries/durable_tick.sql")).fetch_one(&service.pool).await?;
    service.durable.send_replace(tick.unsigned_abs());
    faults.over();
    loop {
        let Some(notice) = listener.try_recv().await? else { return Ok(()) };
        match serde_json::from_str::<Durable>(notice.payload()) {
            Ok(durable) => {
                service.durable.send_replace(durable.tick);
            }
            Err(error) => tracing::warn!(%error, payload = notice.payload(), "notice of a durable tick cannot be read"),
        }
    }
}
