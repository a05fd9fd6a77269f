//! Live views as server-sent events: a snapshot first, then what changed, tick by tick.
//!
//! One task listens to Postgres ([`listen`]) and moves [`Service::durable`](crate::service::Service) on; each client waits for that and asks its
//! [`Feed`] what is new. Ticks that pass while a client's question runs are answered together, so a slow database makes
//! views coarser, not longer queues. A client that does not read loses its connection with a hint to come back, and comes
//! back with `Last-Event-ID`, the tick up to which it knows everything.

pub mod latest;
mod listen;

pub use listen::listen;

use crate::{problem::Problem, routes::Routes, service::Shared};
use axum::{
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{StreamExt, future::BoxFuture, stream};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;

/// A comment is sent after this much silence, so that proxies keep the line.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two questions of one client at least.
const PAUSE: Duration = Duration::from_millis(200);
/// After which a client that was cut off comes back.
const RETRY: Duration = Duration::from_secs(1);

/// What one view shows.
pub trait Feed: Send + Sync + 'static {
    /// All rows (`since` is `None`) or what changed after the tick `since`, and the tick as of which that is so; both
    /// read in one statement, so that nothing falls between.
    fn rows(&self, since: Option<i64>) -> BoxFuture<'_, Result<Delta, Problem>>;
}

/// What changed up to a tick.
#[derive(Debug)]
pub struct Delta {
    pub tick: i64,
    /// Each `{weight: 1 or -1, key, row}`.
    pub rows: Vec<Value>,
}

pub(crate) fn routes() -> Routes {
    latest::routes()
}

/// Opens a view. `Last-Event-ID` resumes after that tick instead of beginning with a snapshot.
pub fn open(service: &Shared, headers: &HeaderMap, feed: impl Feed) -> Result<Response, Problem> {
    let permit = Arc::clone(&service.live_clients).try_acquire_owned().map_err(|_| crowded(service))?;
    let since = match headers.get("last-event-id") {
        None => None,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::malformed("bad_last_event_id", format!("Last-Event-ID is {id:?}; the id of an event of this view is expected"))
        })?),
    };
    let (sender, receiver) = mpsc::channel(service.limits.live_queue_max);
    let slow = Arc::new(AtomicBool::new(false));
    tokio::spawn(tell(Arc::clone(service), feed, since, sender, Arc::clone(&slow), permit));
    let hint = stream::once(async move { slow.load(Ordering::Acquire) }).filter_map(async |slow| slow.then(too_slow));
    let events = ReceiverStream::new(receiver).chain(hint).map(Ok::<_, Infallible>);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")).into_response())
}

fn crowded(service: &Shared) -> Problem {
    let mut problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "rate-limited", "live_full", "Too many live views")
        .detail(format!("{} live views are open, which is the limit", service.limits.live_clients_max));
    problem.retry_after = Some(5);
    problem
}

fn too_slow() -> Event {
    Event::default()
        .event("overrun")
        .retry(RETRY)
        .data("{\"detail\":\"you read slower than the plant speaks; connect again with Last-Event-ID\"}")
}

/// Writes events until the client goes or stops reading. The permit goes with it.
async fn tell(
    service: Shared,
    feed: impl Feed,
    mut since: Option<i64>,
    sender: mpsc::Sender<Event>,
    slow: Arc<AtomicBool>,
    _permit: OwnedSemaphorePermit,
) {
    let mut durable = service.durable.subscribe();
    loop {
        durable.borrow_and_update();
        match feed.rows(since).await {
            Ok(delta) => {
                if since.is_none() || !delta.rows.is_empty() {
                    let name = if since.is_none() { "snapshot" } else { "change" };
                    if let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(event(name, &delta)) {
                        slow.store(true, Ordering::Release);
                        return;
                    }
                }
                since = Some(since.unwrap_or(0).max(delta.tick));
            }
            // The view goes on when the database is back; heartbeats keep the line meanwhile.
            Err(problem) => tracing::debug!(code = problem.code, "live view waits"),
        }
        tokio::select! {
            () = sender.closed() => return,
            moved = async { tokio::time::sleep(PAUSE).await; durable.changed().await } => if moved.is_err() { return },
        }
    }
}

fn event(name: &str, delta: &Delta) -> Event {
    let data = json!({ "tick": delta.tick, "rows": delta.rows }).to_string();
    Event::default().event(name).id(delta.tick.to_string()).retry(RETRY).data(data)
}
