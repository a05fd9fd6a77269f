//! What every handler can reach.

use crate::publish::Publish;
use chrono::{DateTime, Utc};
use dcmms_schemas::time::Tick;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Bounds of the API, each with its unit. Whoever exceeds one is told so by a problem.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest body of a request, but for telemetry.
    pub body_bytes_max: usize,
    /// Largest body of `POST /telemetry`.
    pub telemetry_bytes_max: usize,
    /// Live views open at once; the next one is asked to come back later.
    pub live_clients_max: usize,
    /// Events waiting for one slow live client before it is dropped.
    pub live_queue_max: usize,
    /// Refused messages that are sent again, or published, at once.
    pub resend_messages_max: usize,
    /// Idle time after which a session ends.
    pub session_idle_s: i64,
    /// Age at which a session ends, however busy.
    pub session_age_s: i64,
}

impl Limits {
    /// What a server runs with unless its configuration says otherwise.
    pub const STANDARD: Limits = Limits {
        body_bytes_max: 1 << 20,
        telemetry_bytes_max: 10 << 20,
        live_clients_max: 200,
        live_queue_max: 256,
        resend_messages_max: 1_000,
        session_idle_s: 30 * 60,
        session_age_s: 12 * 60 * 60,
    };
}

/// Renders the process's metrics as Prometheus text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Everything the handlers share.
pub struct Service {
    pub pool: PgPool,
    pub publish: Arc<dyn Publish>,
    pub clock: fn() -> DateTime<Utc>,
    pub limits: Limits,
    /// `None` where the process keeps no metrics.
    pub metrics: Option<RenderMetrics>,
    /// Root of the Parquet history.
    pub history: PathBuf,
    /// Directory of the files of rejected bytes.
    pub rejects: PathBuf,
    /// The durable tick as last heard; `live::listen` moves it on.
    pub durable: watch::Sender<Tick>,
    /// Live views open now.
    pub live_clients: Arc<tokio::sync::Semaphore>,
}

/// How handlers hold the service.
pub type Shared = Arc<Service>;

impl Service {
    pub fn new(pool: PgPool, publish: Arc<dyn Publish>, limits: Limits, history: PathBuf, rejects: PathBuf) -> Service {
        let live_clients = Arc::new(tokio::sync::Semaphore::new(limits.live_clients_max));
        Service { pool, publish, clock: Utc::now, limits, metrics: None, history, rejects, durable: watch::Sender::new(0), live_clients }
    }

    pub fn with_metrics(mut self, render: RenderMetrics) -> Service {
        self.metrics = Some(render);
        self
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("limits", &self.limits).field("history", &self.history).finish_non_exhaustive()
    }
}

/// A pool for the API: made without waiting, so a server starts while the database is down, and quick to say that
/// it is, so a request learns it within two seconds.
pub fn pool(options: PgConnectOptions, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(Duration::from_millis(1_500))
        .idle_timeout(Duration::from_secs(300))
        .connect_lazy_with(options.options([("statement_timeout", "10000")]).application_name("dcmms-api"))
}
