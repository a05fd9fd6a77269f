//! Several ticks as one: what a transaction writes of them. Pure, so that a plain model can judge it.

use crate::collector::TickRows;
use dcmms_schemas::{
    alarm::Alarm,
    books::Books,
    command::Command,
    compliance::Figure,
    outcome::{Anomaly, Diff, Late, Latest, Outcome, Score, ScoreMinute, Unknown},
    prediction::Prediction,
    reading::Reject,
    rollup::Rollup,
    sla::Clock,
    time::{Moment, Tick},
};
use std::collections::BTreeMap;

/// The sum of the ticks `from..=upto`: upserts keep the last of a key, counts are added, rows that keep their past keep each tick.
#[derive(Debug, Default)]
pub(crate) struct Span {
    pub(crate) from: Tick,
    pub(crate) upto: Tick,
    pub(crate) clock: Moment,
    pub(crate) latest: Vec<(Tick, Latest)>,
    pub(crate) rollups: Vec<(Tick, Rollup)>,
    pub(crate) scores: Vec<(Tick, Score)>,
    pub(crate) score_minutes: Vec<(Tick, ScoreMinute)>,
    /// With false where the anomaly was taken back.
    pub(crate) anomalies: Vec<(Tick, Anomaly, bool)>,
    pub(crate) alarms: Versions<Alarm>,
    pub(crate) predictions: Versions<Prediction>,
    pub(crate) clocks: Versions<Clock>,
    pub(crate) figures: Versions<Figure>,
    // Sums, with the last tick that added to them.
    pub(crate) books: BTreeMap<u16, (Tick, Books)>,
    pub(crate) late: Vec<(Tick, Late)>,
    pub(crate) unknown: BTreeMap<String, (Tick, Unknown)>,
    /// With the clock of their tick.
    pub(crate) rejects: Vec<(Tick, Moment, Reject)>,
    pub(crate) commands: Vec<(Tick, Command)>,
}

/// What happens to the rows of a table that keeps its past.
#[derive(Debug)]
pub(crate) struct Versions<T> {
    /// The row of this key that is true at the beginning, if any, ends with this tick.
    pub(crate) ends: Vec<(Tick, T)>,
    /// How many of `ends` must find such a row, because the engine took one back.
    pub(crate) retracted: u64,
    /// True from the first tick until before the second (`None`: still).
    pub(crate) begins: Vec<(Tick, Option<Tick>, T)>,
}

impl<T> Default for Versions<T> {
    fn default() -> Versions<T> {
        Versions { ends: Vec::new(), retracted: 0, begins: Vec::new() }
    }
}

impl Span {
    /// Adds up ticks, which come in order and without gaps.
    pub(crate) fn of(ticks: Vec<TickRows>) -> Span {
        let mut span = Span::default();
        let mut raw = Raw::default();
        for (index, TickRows { tick, clock, outcome }) in ticks.into_iter().enumerate() {
            if index == 0 {
                span.from = tick;
            }
            (span.upto, span.clock) = (tick, clock);
            span.add(tick, clock, outcome, &mut raw);
        }
        newest(&mut span.latest, |row| row.point);
        newest(&mut span.rollups, |row| (row.level, row.point, row.start));
        newest(&mut span.scores, |row| row.point);
        newest(&mut span.score_minutes, |row| (row.point, row.minute));
        span.anomalies = last_state(raw.anomalies);
        span.alarms = versions(raw.alarms, |row| row.id);
        span.predictions = versions(raw.predictions, |row| row.id);
        span.clocks = versions(raw.clocks, |row| (row.order, row.metric));
        span.figures = versions(raw.figures, |row| (row.site, row.month, row.metric.clone()));
        span.late = sum_late(std::mem::take(&mut span.late));
        span.rejects.sort_by_key(|(tick, _, reject)| (*tick, reject.source, reject.offset, reject.index));
        span
    }

    fn add(&mut self, tick: Tick, clock: Moment, outcome: Outcome, raw: &mut Raw) {
        fn at<T>(tick: Tick, rows: Vec<T>) -> impl Iterator<Item = (Tick, T)> {
            rows.into_iter().map(move |row| (tick, row))
        }
        fn diffs<T>(tick: Tick, rows: Vec<(T, Diff)>) -> impl Iterator<Item = (Tick, T, Diff)> {
            rows.into_iter().map(move |(row, diff)| (tick, row, diff))
        }
        self.latest.extend(at(tick, outcome.latest));
        self.rollups.extend(at(tick, outcome.rollups));
        self.scores.extend(at(tick, outcome.scores));
        self.score_minutes.extend(at(tick, outcome.score_minutes));
        self.commands.extend(at(tick, outcome.commands));
        self.rejects.extend(outcome.rejects.into_iter().map(|reject| (tick, clock, reject)));
        self.late.extend(at(tick, outcome.late));
        for (source, books) in outcome.books.into_iter().filter(|(_, books)| !books.is_zero()) {
            let sum = self.books.entry(source).or_default();
            sum.0 = tick;
            sum.1.add(&books);
        }
        for more in outcome.unknown {
            self.unknown
                .entry(more.key.clone())
                .and_modify(|(last, sum)| {
                    *last = tick;
                    sum.readings += more.readings;
                    sum.first = sum.first.min(more.first);
                    sum.last = sum.last.max(more.last);
                })
                .or_insert((tick, more));
        }
        raw.anomalies.extend(diffs(tick, outcome.anomalies));
        raw.alarms.extend(diffs(tick, outcome.alarms));
        raw.predictions.extend(diffs(tick, outcome.predictions));
        raw.clocks.extend(diffs(tick, outcome.clocks));
        raw.figures.extend(diffs(tick, outcome.figures));
    }
}

/// Differences as the ticks said them, before they are added up.
#[derive(Default)]
struct Raw {
    anomalies: Vec<(Tick, Anomaly, Diff)>,
    alarms: Vec<(Tick, Alarm, Diff)>,
    predictions: Vec<(Tick, Prediction, Diff)>,
    clocks: Vec<(Tick, Clock, Diff)>,
    figures: Vec<(Tick, Figure, Diff)>,
}

/// Keeps the last row of each key, in the order of the keys, which is the order of the table's index.
fn newest<T, K: Ord>(rows: &mut Vec<(Tick, T)>, key: impl Fn(&T) -> K) {
    // The sort is stable and ticks came in order. Reversed, the first of a key is its newest.
    rows.reverse();
    rows.sort_by_key(|(_, row)| key(row));
    rows.dedup_by(|later, kept| key(&later.1) == key(&kept.1));
}

/// Adds up the differences of one key at one tick: whether any was a retraction, and the row that is true after it.
fn sum_tick<T: PartialEq>(rows: impl Iterator<Item = (T, Diff)>) -> Option<(bool, Result<T, T>)> {
    let mut sums: Vec<(T, Diff)> = Vec::new();
    for (row, diff) in rows {
        match sums.iter_mut().find(|(known, _)| *known == row) {
            Some((_, sum)) => *sum += diff,
            None => sums.push((row, diff)),
        }
    }
    sums.retain(|(_, sum)| *sum != 0);
    let retracts = sums.iter().any(|(_, sum)| *sum < 0);
    // Last, not first: there is one at most, unless the engine is wrong.
    match sums.iter().rposition(|(_, sum)| *sum > 0) {
        Some(index) => Some((retracts, Ok(sums.swap_remove(index).0))),
        None => sums.pop().map(|(row, _)| (retracts, Err(row))),
    }
}

/// What became of a key at a tick, and whether a row was taken back: `Ok` the row that is true then, `Err` the one that ended with
/// nothing after it.
type State<T> = (Tick, bool, Result<T, T>);

/// What became of each key at each tick.
fn transitions<T: PartialEq, K: Ord>(mut rows: Vec<(Tick, T, Diff)>, key: impl Fn(&T) -> K) -> Vec<Vec<State<T>>> {
    rows.sort_by(|a, b| key(&a.1).cmp(&key(&b.1)).then(a.0.cmp(&b.0)));
    let mut keys: Vec<(K, Vec<State<T>>)> = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while let Some((tick, row, diff)) = rows.next() {
        let this = key(&row);
        let mut same = vec![(row, diff)];
        while let Some((_, row, diff)) = rows.next_if(|(next, row, _)| *next == tick && key(row) == this) {
            same.push((row, diff));
        }
        let Some((retracts, state)) = sum_tick(same.into_iter()) else { continue };
        match keys.last_mut() {
            Some((last, states)) if *last == this => states.push((tick, retracts, state)),
            _ => keys.push((this, vec![(tick, retracts, state)])),
        }
    }
    keys.into_iter().map(|(_, states)| states).collect()
}

/// Turns differences into the ends and beginnings of rows, so that each tick of the span can be asked for later.
fn versions<T: PartialEq + Clone, K: Ord>(rows: Vec<(Tick, T, Diff)>, key: impl Fn(&T) -> K) -> Versions<T> {
    let mut versions = Versions::default();
    for states in transitions(rows, key) {
        let ticks: Vec<Tick> = states.iter().map(|(tick, ..)| *tick).collect();
        for (index, (tick, retracts, state)) in states.into_iter().enumerate() {
            if index == 0 {
                let (Ok(row) | Err(row)) = &state;
                versions.ends.push((tick, row.clone()));
                versions.retracted += u64::from(retracts);
            }
            if let Ok(row) = state {
                versions.begins.push((tick, ticks.get(index + 1).copied(), row));
            }
        }
    }
    versions
}

fn last_state(rows: Vec<(Tick, Anomaly, Diff)>) -> Vec<(Tick, Anomaly, bool)> {
    let last = |states: Vec<State<Anomaly>>| {
        let (tick, _, state) = states.into_iter().next_back()?;
        let there = state.is_ok();
        let (Ok(row) | Err(row)) = state;
        Some((tick, row, there))
    };
    transitions(rows, |row| (row.point, row.at)).into_iter().filter_map(last).collect()
}

fn sum_late(mut rows: Vec<(Tick, Late)>) -> Vec<(Tick, Late)> {
    rows.sort_by_key(|(_, row)| (row.point, row.hour));
    rows.dedup_by(|(tick, next), (last, sum)| {
        let same = (next.point, next.hour) == (sum.point, sum.hour);
        if same {
            *last = (*last).max(*tick);
            sum.readings += next.readings;
            sum.first = sum.first.min(next.first);
            sum.last = sum.last.max(next.last);
        }
        same
    });
    rows
}

#[cfg(test)]
mod tests;
