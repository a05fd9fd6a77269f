//! Which operators, in which order: telemetry and the domain come in from Kafka, sealed ticks go out to an
//! [`Outlet`](dcmms_schemas::sealed::Outlet).
//!
//! In reading order: what a job is told ([`options`]), where its input comes from ([`source`]), how ticks are
//! minted ([`mint`]), what the flow does ([`flow`]), how workers drive it (`worker`), and how it is run
//! ([`running`]). [`train`] fits models on what the same operators made of the history.

mod cutting;
pub mod options;

pub mod flow;
mod graph;
pub mod mint;
pub mod running;
pub mod source;
pub mod train;
mod worker;

pub use flow::FINGERPRINT;
pub use options::{Inputs, Kafka, Options, Start};
pub use running::{Gauge, RunError, Running, run};
pub use source::{Ends, SourceError, identify};
