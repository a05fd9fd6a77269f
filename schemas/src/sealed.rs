//! The seam between the dataflows and the sinks.

use crate::{
    binding::Binding,
    checkpoint::KeptPart,
    outcome::Outcome,
    time::{Moment, Tick},
};

/// All changes of the ticks `from..=upto`; nothing more can be said about them.
#[derive(Clone, Debug, Default)]
pub struct Sealed<D> {
    pub from: Tick,
    pub upto: Tick,
    /// The clock of `upto`'s binding.
    pub clock: Moment,
    pub changes: D,
}

/// One worker's share of one tick. Every worker sends one for every tick, in order, also when it is empty.
#[derive(Debug)]
pub struct Part {
    pub worker: usize,
    pub workers: usize,
    pub sealed: Sealed<Outcome>,
}

/// Where the workers hand things over. None of these calls waits: what is under way is bounded by the number of
/// ticks in flight, because minting stops when `durable` lags.
pub trait Outlet: Send + Sync {
    /// Makes a binding durable, in tick order; [`Outlet::bound`] follows.
    fn bind(&self, binding: Binding);
    /// The greatest tick whose binding is durable.
    fn bound(&self) -> Tick;
    /// Takes one worker's share of a tick.
    fn part(&self, part: Part);
    /// The greatest tick whose changes are durable.
    fn durable(&self) -> Tick;
    /// Takes the hashes of what a worker read for a tick, before its share of the tick.
    fn read(&self, tick: Tick, inputs: Vec<(u16, u64)>);
    /// Takes one worker's share of a checkpoint.
    fn kept(&self, part: KeptPart);
    /// The tick of the newest checkpoint that is complete: all its shares are stored, and what was said up to it is durable.
    fn checkpointed(&self) -> Tick;
    /// True once the sink has given up for good (a stale generation, say); the workers then stop.
    fn closed(&self) -> bool;
}
