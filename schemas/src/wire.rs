//! Kafka payloads as sent.

use serde::{Deserialize, Serialize};

/// The topic of readings; key = point or its gateway.
pub const TELEMETRY_TOPIC: &str = "dcmms.telemetry";
/// The topic of domain changes; key = `entity:id`.
pub const DOMAIN_TOPIC: &str = "dcmms.domain";
/// The topic of what was refused; key = `job/topic/partition/offset/index`, which is the same when one is published again.
pub const REJECTS_TOPIC: &str = "dcmms.rejects";
/// The Kafka header that tells a payload's format; absent means JSON.
pub const FORMAT_HEADER: &str = "dcmms-format";
/// The Kafka header of what was refused and is sent again: `topic/partition/offset/index` of where it came from.
pub const RESENT_HEADER: &str = "dcmms-resent";
/// One JSON reading or an array of readings.
pub const FORMAT_JSON: &str = "json";
/// An Arrow IPC stream with columns point, ts, value, quality.
pub const FORMAT_ARROW: &str = "arrow";

/// What a message's bytes are, as its header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON reading or an array of readings.
    #[default]
    Json,
    /// An Arrow IPC stream.
    Arrow,
}

impl Format {
    pub const fn name(self) -> &'static str {
        match self {
            Format::Json => FORMAT_JSON,
            Format::Arrow => FORMAT_ARROW,
        }
    }

    /// What [`FORMAT_HEADER`] says; `None` sends no header.
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Format::Json => None,
            Format::Arrow => Some(FORMAT_ARROW),
        }
    }
}
