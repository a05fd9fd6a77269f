//! What a tick contains, for ever.

use crate::time::{Moment, Tick};
use serde::{Deserialize, Serialize};

/// A topic as its broker knows it, so that a topic made anew under the old name is not taken for the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub cluster: String,
    pub topic: String,
    /// The broker's topic id where it has one (Kafka ≥ 2.8), else empty.
    pub topic_id: String,
}

/// One input partition of a job. Its index in [`Sources`] is what readings, books and rejects carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePartition {
    pub source: Source,
    pub partition: i32,
    /// True for the topic of domain events, false for telemetry.
    pub domain: bool,
}

/// The partitions of a job in a fixed order; one may be added at the end, none is ever removed or reordered.
pub type Sources = Vec<SourcePartition>;

/// A minted tick: everything that its content depends on. Durable before any output of the tick, so a replay
/// sees the same ticks, the same clock, the same lateness and so gives the same answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    pub tick: Tick,
    pub generation: u64,
    /// The wall time at minting, never backwards.
    pub clock: Moment,
    /// Per source partition, the offset after the last one this tick covers.
    pub upto: Vec<i64>,
    /// Per source partition, the event time up to which it is believed complete (`Moment::MIN`: nothing seen).
    pub watermarks: Vec<Moment>,
    /// Per source partition, whether it was caught up and quiet, so that `clock` stands in for its watermark.
    pub idle: Vec<bool>,
}

impl Binding {
    /// The time by which delays and staleness of this partition's points are judged.
    pub fn now(&self, source: u16) -> Moment {
        let source = usize::from(source);
        match (self.idle.get(source), self.watermarks.get(source)) {
            (Some(true), _) => self.clock,
            (_, Some(watermark)) => *watermark,
            _ => Moment::MIN,
        }
    }

    /// The first offset after `previous` that this binding covers, per partition.
    pub fn from<'a>(&'a self, previous: Option<&'a Binding>, source: usize) -> i64 {
        previous.and_then(|binding| binding.upto.get(source).copied()).unwrap_or(0)
    }
}
