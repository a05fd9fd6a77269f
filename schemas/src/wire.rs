//! Kafka payloads as sent.

/// The topic of readings; key = point or its gateway.
pub const TELEMETRY_TOPIC: &str = "dcmms.telemetry";
/// The topic of domain changes; key = `entity:id`.
pub const DOMAIN_TOPIC: &str = "dcmms.domain";
/// The Kafka header that tells a payload's format; absent means JSON.
pub const FORMAT_HEADER: &str = "dcmms-format";
/// One JSON reading or an array of readings.
pub const FORMAT_JSON: &str = "json";
/// An Arrow IPC stream with columns point, ts, value, quality.
pub const FORMAT_ARROW: &str = "arrow";
