//! Worker 0 decides what each tick contains, once and for ever.

use crate::{options::Options, source::Intake};
use dcmms_schemas::{
    binding::{Binding, SourcePartition, Sources},
    time::{MILLISECOND, Moment, Tick},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A binding is minted at least this often though nothing arrives, so that time passes for delays and clocks.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The greatest valid moment that decoding has seen, per source.
pub type SeenMoments = dyn Fn(usize) -> Moment + Send + Sync;

/// Mints bindings from what has been fetched.
pub struct Minter {
    generation: u64,
    tick_every: Duration,
    idle_after: Duration,
    disorder: i64,
    messages_max: u64,
    sources: Sources,
    intake: Arc<Intake>,
    seen: Arc<SeenMoments>,
    last: Binding,
    minted_at: Option<Instant>,
    /// Per source, when its fetched offset last moved, and where it was then.
    moved: Vec<(Instant, i64)>,
    /// False until the domain's topics were read to their end once: what is known must be known before what is said.
    informed: bool,
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Minter {
    /// Goes on after `last`.
    pub fn new(
        options: &Options,
        sources: &Sources,
        intake: Arc<Intake>,
        seen: Arc<SeenMoments>,
        last: Binding,
        generation: u64,
    ) -> Minter {
        let now = Instant::now();
        let moved = (0..sources.len()).map(|source| (now, intake.fetched(source))).collect();
        let mut last = last;
        last.upto.extend((last.upto.len()..sources.len()).map(|source| intake.fetched(source)));
        last.watermarks.resize(sources.len(), Moment::MIN);
        last.idle.resize(sources.len(), false);
        Minter {
            generation,
            tick_every: Duration::from_millis(options.tick_ms),
            idle_after: Duration::from_millis(options.idle_after_ms),
            disorder: options.disorder_ms * MILLISECOND,
            messages_max: options.messages_per_tick_max.max(1),
            sources: sources.clone(),
            intake,
            seen,
            last,
            minted_at: None,
            moved,
            informed: false,
        }
    }

    pub fn last_tick(&self) -> Tick {
        self.last.tick
    }

    /// The next binding, if it is time for one: each `tick_ms` while there is input, at once while more waits than
    /// a tick may hold, else each second. `wall` is the time of day; the binding's clock never runs backwards.
    pub fn mint(&mut self, wall: Moment) -> Option<Binding> {
        let now = Instant::now();
        if !self.is_informed() {
            return None;
        }
        let waiting = self.waiting(now);
        let since = self.minted_at.map_or(Duration::MAX, |at| now - at);
        let due = since >= HEARTBEAT || (waiting > 0 && since >= self.tick_every) || waiting >= self.messages_max;
        due.then(|| self.take(wall, waiting, now))
    }

    /// The last binding, whether or not it is time for one; none before the domain was read once.
    pub fn mint_last(&mut self, wall: Moment) -> Option<Binding> {
        let now = Instant::now();
        if !self.is_informed() {
            return None;
        }
        let waiting = self.waiting(now);
        Some(self.take(wall, waiting, now))
    }

    fn take(&mut self, wall: Moment, waiting: u64, now: Instant) -> Binding {
        let binding = self.next(wall, waiting, now);
        self.minted_at = Some(now);
        self.last = binding.clone();
        binding
    }

    fn is_informed(&mut self) -> bool {
        if !self.informed {
            let behind = |(index, source): (usize, &SourcePartition)| source.domain && !self.intake.caught_up(index);
            self.informed = !self.sources.iter().enumerate().any(behind);
        }
        self.informed
    }

    /// Counts the offsets fetched but not bound, and notes which partitions moved.
    fn waiting(&mut self, now: Instant) -> u64 {
        let mut waiting = 0;
        for source in 0..self.sources.len() {
            let fetched = self.intake.fetched(source);
            if fetched != self.moved[source].1 {
                self.moved[source] = (now, fetched);
            }
            waiting += u64::try_from(fetched - self.last.upto[source]).unwrap_or(0);
        }
        waiting
    }

    fn next(&self, wall: Moment, waiting: u64, now: Instant) -> Binding {
        let mut binding = Binding {
            tick: self.last.tick + 1,
            generation: self.generation,
            clock: wall.max(self.last.clock),
            upto: Vec::with_capacity(self.sources.len()),
            watermarks: Vec::with_capacity(self.sources.len()),
            idle: Vec::with_capacity(self.sources.len()),
        };
        for (index, source) in self.sources.iter().enumerate() {
            let fetched = self.intake.fetched(index).max(self.last.upto[index]);
            let upto = self.share(fetched, self.last.upto[index], waiting, source.domain);
            let quiet = now - self.moved[index].0 >= self.idle_after;
            binding.upto.push(upto);
            let seen = (self.seen)(index);
            let watermark = if seen == Moment::MIN { seen } else { seen.minus(self.disorder) };
            binding.watermarks.push(watermark.max(self.last.watermarks[index]));
            binding.idle.push(quiet && upto == fetched && self.intake.caught_up(index));
        }
        binding
    }

    /// Cuts a partition's part so that the tick keeps its bound; the domain is never cut.
    fn share(&self, fetched: i64, bound: i64, waiting: u64, domain: bool) -> i64 {
        if domain || waiting <= self.messages_max || fetched <= bound {
            return fetched;
        }
        let part = (fetched - bound) as i128 * i128::from(self.messages_max) / i128::from(waiting);
        bound + i64::try_from(part).unwrap_or(0).max(1)
    }
}

#[cfg(test)]
mod tests;
