//! Sealed ticks into Postgres exactly once, and into the Parquet history. The sinks are the only writers of `derived.*`.
//!
//! [`open`] takes a job over and gives a [`Sink`], the workers' [`dcmms_schemas::sealed::Outlet`]. Behind it one task makes bindings
//! durable; another collects the shares of all workers, adds several ticks up and writes them in one transaction, which also moves the
//! job's progress and checks that nobody else has taken the job over. `docs/sinks.md` tells it in prose.

mod bindings;
pub mod checkpoints;
mod collector;
mod connection;
mod copy;
mod error;
pub mod history;
mod open;
mod partitions;
pub mod rejects;
pub mod report;
mod run;
mod sink;
mod sources;
mod span;
mod staged;
mod writer;

pub use bindings::Inputs;
pub use error::SinkError;
pub use open::{Opened, Options, open};
pub use sink::Sink;

/// Applies the migrations that are missing.
pub async fn migrate(pool: &sqlx::PgPool) -> Result<(), SinkError> {
    dcmms_schemas::migrations::MIGRATOR.run(pool).await.map_err(SinkError::Migrate)
}
