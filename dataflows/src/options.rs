//! What a job is told at its start.

use dcmms_schemas::{
    binding::{Binding, Sources},
    checkpoint::Checkpoint,
    time::Tick,
};
use std::collections::BTreeMap;

/// Where the input comes from.
#[derive(Clone, Debug)]
pub struct Kafka {
    pub brokers: String,
    /// Passed through to librdkafka as they are.
    pub properties: BTreeMap<String, String>,
    /// Topics of readings.
    pub telemetry: Vec<String>,
    /// The topic of domain changes.
    pub domain: String,
}

/// How a job runs. Every bound has its unit in its name.
#[derive(Clone, Debug)]
pub struct Options {
    pub job: String,
    pub workers: usize,
    /// How often a tick is minted while there is input.
    pub tick_ms: u64,
    /// Minting stops while this many ticks are not durable yet.
    pub ticks_in_flight_max: u64,
    /// A tick covers at most this many messages; more wait for the next one, which then is minted at once.
    pub messages_per_tick_max: u64,
    /// How far behind the greatest moment seen a partition's watermark stays.
    pub disorder_ms: i64,
    /// A partition that is caught up and quiet for this long is idle.
    pub idle_after_ms: u64,
    /// A reading further than this ahead of the clock is rejected.
    pub future_max_ms: i64,
    /// False counts every repeat, as the peers of the roll-up benchmark do.
    pub dedupe: bool,
    /// A cause first seen this long after its onset issues no command; `None`: it always does.
    pub action_age_max_ms: Option<i64>,
    /// How often a checkpoint is taken; one is under way at a time.
    pub checkpoint_every_ms: u64,
    pub kafka: Kafka,
}

/// Where a job starts, as the sink recorded it.
#[derive(Clone, Debug)]
pub struct Start {
    pub generation: u64,
    /// Input partitions in their recorded order, new ones at the end.
    pub sources: Sources,
    /// Every binding since the first that is kept, in tick order; empty at the very first start and on fresh sources.
    pub bindings: Vec<Binding>,
    /// What was read at a tick, per source, where that is recorded: a replay must read the same.
    pub inputs: Inputs,
    /// Outputs up to this tick are in the tables already.
    pub durable: Tick,
    /// The state to go on from; without one, the state before the first binding.
    pub checkpoint: Option<Checkpoint>,
    /// The sources are others than those of the ticks so far, and are read from their beginning.
    pub fresh: bool,
}

/// Hashes of what each source held at a tick; `None` where nothing was recorded.
pub type Inputs = BTreeMap<Tick, Vec<Option<u64>>>;
