//! Gathers the shares of all workers until a tick is whole.

use crate::error::SinkError;
use dcmms_schemas::{
    outcome::{HistoryRow, Outcome},
    sealed::Part,
    time::{Moment, Tick},
};
use std::collections::BTreeMap;

/// Ticks and rows that go into one transaction at most; a single tick may have more rows.
const TICKS_MAX: usize = 64;
const ROWS_MAX: usize = 500_000;

/// All that was said at one tick, by all workers.
#[derive(Debug)]
pub(crate) struct TickRows {
    pub(crate) tick: Tick,
    pub(crate) clock: Moment,
    pub(crate) outcome: Outcome,
}

/// Ticks that follow one another, ready to be written.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) ticks: Vec<TickRows>,
    /// Readings of these ticks that the history lacks: tick, clock, rows.
    pub(crate) history: Vec<(Tick, Moment, Vec<HistoryRow>)>,
    /// True when the tables have these ticks already and only the history lacked them.
    pub(crate) replayed: bool,
}

/// Holds what is not yet whole. Its size is bounded by the ticks in flight: minting stops when `durable` lags.
#[derive(Debug)]
pub(crate) struct Collector {
    /// The last tick that each worker has said.
    said: Vec<Option<Tick>>,
    durable: Tick,
    /// Readings up to this tick are in sealed files.
    history: Tick,
    waiting: BTreeMap<Tick, TickRows>,
}

impl Collector {
    pub(crate) fn new(workers: usize, durable: Tick, history: Tick) -> Collector {
        Collector { said: vec![None; workers], durable, history, waiting: BTreeMap::new() }
    }

    /// Takes a share. What is durable already (a replay says it again) is dropped here.
    pub(crate) fn take(&mut self, part: Part) -> Result<(), SinkError> {
        let Part { worker, sealed, .. } = part;
        let expected = self.said.get(worker).copied().flatten().unwrap_or(self.durable) + 1;
        let first = self.said.get(worker).is_some_and(Option::is_none);
        // A replay begins at any tick that is durable; from there on nothing may be left out.
        let follows = if first { sealed.from <= expected } else { sealed.from == expected };
        let straddles = sealed.from <= self.durable && self.durable < sealed.upto;
        if worker >= self.said.len() || sealed.upto < sealed.from || !follows || straddles {
            return Err(SinkError::Gap { worker, expected, got: sealed.from });
        }
        self.said[worker] = Some(sealed.upto);
        let (tick, clock) = (sealed.upto, sealed.clock);
        let mut outcome = sealed.changes;
        if tick <= self.durable {
            outcome = Outcome { history: outcome.history, ..Outcome::default() };
        }
        if tick <= self.history {
            outcome.history = Vec::new();
        }
        if tick > self.durable.min(self.history) {
            self.waiting.entry(tick).or_insert_with(|| TickRows { tick, clock, outcome: Outcome::default() }).outcome.append(outcome);
        }
        Ok(())
    }

    /// The next ticks that are whole, as many as fit one transaction; they are taken to be durable from then on.
    pub(crate) fn ready(&mut self) -> Option<Ready> {
        let whole = self.said.iter().map(|said| said.unwrap_or(0)).min()?;
        let replayed = *self.waiting.first_key_value()?.0 <= self.durable;
        let upto = if replayed { whole.min(self.durable) } else { whole };
        let (mut ticks, mut history, mut rows) = (Vec::new(), Vec::new(), 0);
        while ticks.len() < TICKS_MAX && rows < ROWS_MAX {
            let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() <= upto) else { break };
            let mut tick = entry.remove();
            rows += count(&tick.outcome);
            if tick.tick > self.history {
                history.push((tick.tick, tick.clock, std::mem::take(&mut tick.outcome.history)));
            }
            ticks.push(tick);
        }
        let last = ticks.last()?.tick;
        self.durable = self.durable.max(last);
        self.history = self.history.max(last);
        Some(Ready { ticks, history, replayed })
    }

    /// Ticks that wait for a worker or for the transaction.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// Rows for Postgres; the history goes another way.
fn count(outcome: &Outcome) -> usize {
    outcome.latest.len()
        + outcome.rollups.len()
        + outcome.scores.len()
        + outcome.score_minutes.len()
        + outcome.anomalies.len()
        + outcome.alarms.len()
        + outcome.predictions.len()
        + outcome.clocks.len()
        + outcome.figures.len()
        + outcome.late.len()
        + outcome.unknown.len()
        + outcome.rejects.len()
        + outcome.commands.len()
}

#[cfg(test)]
mod tests;
