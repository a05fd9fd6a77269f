//! Where all state of a point lives: one operator holds the recent samples, the windows and the alarm conditions of the
//! points that its worker owns, because all of these look at the same samples.

mod cuts;
mod host;
mod kept;
mod plant;
pub mod samples;
mod state;
mod sums;
mod watched;
mod wheel;
mod windows;
mod zones;

#[cfg(test)]
mod tests;

pub use watched::{Watched, WatchedRollup};

use crate::{
    Diff, Flow, Rows,
    columns::Columns,
    control::{Control, Told},
    keep::Keeper,
    scores::Tuning,
};
use dcmms_schemas::{
    outcome::Outcome,
    plant::{Point, Position},
    time::{HOUR, SECOND, Tick},
};
use differential_dataflow::AsCollection;
use host::Host;
use std::{collections::BTreeMap, sync::Arc};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        channels::pact::{Exchange, Pipeline},
        operators::{
            Capability,
            generic::{OutputBuilder, builder_rc::OperatorBuilder},
        },
    },
};

/// Says which windows of a point differential is told of, given the point and the position that it measures.
pub type Watches = Arc<dyn Fn(&Point, Option<&Position>) -> Watched + Send + Sync>;

/// Says how a point is scored, if it is.
pub type Tunings = Arc<dyn Fn(&Point, Option<&Position>) -> Option<Arc<Tuning>> + Send + Sync>;

/// What the points may be told. Periods are in microseconds of the bindings' clock.
#[derive(Clone)]
pub struct PointsOptions {
    /// Readings of one moment compete and repeats count once. Without it each counts, no samples are kept, and what needs
    /// them in order (alarms) sees only those that come in order: for comparison with engines that do no more.
    pub dedupe: bool,
    /// Whether each reading is handed on for the history.
    pub history: bool,
    pub latest_every: i64,
    /// Minutes that are open; the first row of a minute that closes and the last row of one do not wait.
    pub minutes_every: i64,
    /// Quarters, hours and days.
    pub coarse_every: i64,
    /// An alarm first seen longer after its onset raises no order; `None` for a job that acts on whatever it finds.
    pub action_age_max: Option<i64>,
    /// Besides these, the hours of every point of a class that a model speaks of are watched.
    pub watched: Watches,
    /// Asked when a point is first told of; a scorer that has learnt keeps its tuning.
    pub tuned: Tunings,
}

impl Default for PointsOptions {
    /// Latest values each second, open minutes each 5 s, the rest each 30 s; no order for what is older than a day.
    fn default() -> PointsOptions {
        PointsOptions {
            dedupe: true,
            history: true,
            latest_every: SECOND,
            minutes_every: 5 * SECOND,
            coarse_every: 30 * SECOND,
            action_age_max: Some(24 * HOUR),
            watched: Arc::new(|point, _| Watched {
                quarter: matches!(point.kind.as_str(), "ac.energy_export" | "ac.power" | "met.poa"),
                hour: false,
            }),
            tuned: standard_tuning(),
        }
    }
}

/// The standard tuning for all but counters, which only grow; nothing less than a point's resolution is a residual.
fn standard_tuning() -> Tunings {
    Arc::new(|point, _| {
        let scale_min = Tuning::STANDARD.scale_min.max(if point.resolution.is_finite() { point.resolution } else { 0.0 });
        (!point.counter).then(|| Arc::new(Tuning { scale_min, ..Tuning::STANDARD }))
    })
}

impl std::fmt::Debug for PointsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PointsOptions").field("dedupe", &self.dedupe).field("history", &self.history).finish_non_exhaustive()
    }
}

/// What becomes of readings.
#[derive(Clone)]
pub struct PointsOut<'s> {
    /// Latest values, roll-ups, alarms, commands, history, late readings and the books' side of accepted ones: one per
    /// worker and tick.
    pub outcome: Flow<'s, Outcome>,
    /// Quarters and hours of watched points, as differences: conflated like the rows themselves, and never taken back
    /// once their window has left the horizon.
    pub watched: Rows<'s, WatchedRollup>,
}

impl std::fmt::Debug for PointsOut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PointsOut").finish_non_exhaustive()
    }
}

/// What has come for a tick that is not complete yet, and the right to answer it.
struct Pending {
    told: Told,
    columns: Vec<Columns>,
    outcome: Capability<Tick>,
    watched: Capability<Tick>,
}

/// Keeps every point on the worker `number % peers`. When all of a tick is there it is lived through at once: domain
/// events, readings in the order of (source, offset), then the passing of time by the binding; so neither the number of
/// workers nor the order of arrival within a tick shows in what is said.
///
/// A late reading inside the point's correction horizon changes what was said as if it had come in time; one that is older
/// goes to the history, is counted, and changes nothing. Holds 16 bytes per reading of the last 15 minutes (by default)
/// and some 2 KiB per point.
pub fn points<'s>(control: Flow<'s, Control>, columns: Flow<'s, Columns>, options: PointsOptions, keeper: &Keeper) -> PointsOut<'s> {
    let scope = columns.scope();
    let mut builder = OperatorBuilder::new("Points".to_owned(), scope);
    let mut control = builder.new_input(control, Pipeline);
    let mut columns = builder.new_input(columns, Exchange::new(|columns: &Columns| u64::from(columns.worker)));
    let (outcome_output, outcome_stream) = builder.new_output();
    let (watched_output, watched_stream) = builder.new_output();
    let mut outcome_output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Outcome>>>::from(outcome_output);
    let mut watched_output = OutputBuilder::<_, CapacityContainerBuilder<Vec<(WatchedRollup, Tick, Diff)>>>::from(watched_output);
    let keeper = keeper.clone();
    let mut host = keeper.enter(Host::new(options, scope.index(), scope.peers()));
    builder.build(move |_| {
        let mut pending: BTreeMap<Tick, Pending> = BTreeMap::new();
        move |frontiers| {
            control.for_each_time(|time, data| {
                let tick = pending.entry(*time.time()).or_insert_with(|| Pending::new(time.retain(0), time.retain(1)));
                data.flat_map(|batch| batch.drain(..)).for_each(|control| tick.told.push(control));
            });
            columns.for_each_time(|time, data| {
                let tick = pending.entry(*time.time()).or_insert_with(|| Pending::new(time.retain(0), time.retain(1)));
                tick.columns.extend(data.flat_map(|batch| batch.drain(..)));
            });
            let (mut outcome_output, mut watched_output) = (outcome_output.activate(), watched_output.activate());
            while let Some(first) = pending.first_entry().filter(|tick| frontiers.iter().all(|frontier| !frontier.less_equal(tick.key()))) {
                let (tick, mut pending) = first.remove_entry();
                let (outcome, said) = host.tick(&pending.told, &mut pending.columns);
                outcome_output.session(&pending.outcome).give(outcome);
                let rows = said.into_iter().map(|(row, diff)| (row, tick, diff));
                watched_output.session(&pending.watched).give_iterator(rows);
                host.cut(pending.told.cut, &keeper);
            }
        }
    });
    PointsOut { outcome: outcome_stream, watched: watched_stream.as_collection() }
}

impl Pending {
    fn new(outcome: Capability<Tick>, watched: Capability<Tick>) -> Pending {
        Pending { told: Told::default(), columns: Vec::new(), outcome, watched }
    }
}
