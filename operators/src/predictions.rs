//! What trained models say of positions, hour by hour, and the orders that follow.
//!
//! An hour is scored when it is over by its site's own data, for all positions of the model's class at once, because a position
//! is compared with its peers. A run of hours at or above the threshold proposes one order, in the hour that makes the run
//! long enough; while the run lasts nothing more is proposed. A late or corrected hour scores anew what it touches (its
//! peers, and the day after it): rows change as differences, and when the run is disproved the proposal is withdrawn. A run
//! that began longer ago than `act_within_us` when it is first seen proposes nothing to people.
//!
//! Every worker hears all hours and keeps the sites whose id falls to it: per site the hours and scores of the last `keep_us` of
//! its own time (about 50 bytes per point and hour, 400 per score); what is older stands as it was said.

mod kept;
mod runs;
mod site;
mod words;

#[cfg(test)]
mod tests;

use crate::{
    Diff, Flow, Rows,
    control::{Control, Told},
    features::is_whole,
    keep::Keeper,
    points::WatchedRollup,
};
use dcmms_schemas::{
    domain::{Event, Row},
    id::{ModelId, PointNumber, PositionId, SiteId},
    model::Model,
    outcome::Outcome,
    plant::{Point, Position},
    rollup::Level,
    time::{DAY, MINUTE, Moment, Tick},
};
use differential_dataflow::consolidation::consolidate;
use rustc_hash::FxHashMap;
use site::Site;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use timely::dataflow::{
    channels::pact::Pipeline,
    operators::{
        generic::Operator,
        vec::{Broadcast, Filter},
    },
};

/// How predictions are kept and acted on.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long hours and scores are held for corrections.
    pub keep_us: i64,
    /// How long ago a run may have begun for its proposal to reach people.
    pub act_within_us: i64,
    /// How far a site's data must be past the end of an hour before the hour is over: roll-ups of an hour that has
    /// just ended are still on their way.
    pub grace_us: i64,
}

impl Settings {
    /// Thirty-five days, a day, two minutes.
    pub const DEFAULT: Settings = Settings { keep_us: 35 * DAY, act_within_us: DAY, grace_us: 2 * MINUTE };
}

/// Says predictions and the commands they lead to. `control` must reach every worker whole; `hours` may hold other levels
/// and points, which are passed over.
pub fn predictions<'s>(
    hours: Rows<'s, WatchedRollup>,
    control: Flow<'s, Control>,
    settings: Settings,
    keeper: &Keeper,
) -> Flow<'s, Outcome> {
    let scope = control.scope();
    let keeper = keeper.clone();
    let mut predictor = keeper.enter(Predictor::new(scope.index(), scope.peers(), settings));
    let hours = hours.inner.filter(|(row, _, _)| row.level == Level::Hour).broadcast();
    control.binary_frontier(hours, Pipeline, Pipeline, "Predictions", move |_, _| {
        let mut open: BTreeMap<Tick, (_, Told, Vec<(WatchedRollup, Diff)>)> = BTreeMap::new();
        move |(control, told_frontier), (hours, hours_frontier), output| {
            let port = output.output_index();
            control.for_each(|capability, controls| {
                let tick = *capability.time();
                let (_, told, _) = open.entry(tick).or_insert_with(|| (capability.retain(port), Told::default(), Vec::new()));
                controls.drain(..).for_each(|control| told.push(control));
            });
            hours.for_each(|capability, changes| {
                for (row, tick, diff) in changes.drain(..) {
                    let (_, _, rows) = open.entry(tick).or_insert_with(|| (capability.delayed(&tick, port), Told::default(), Vec::new()));
                    rows.push((row, diff));
                }
            });
            while let Some(entry) = open.first_entry() {
                if told_frontier.less_equal(entry.key()) || hours_frontier.less_equal(entry.key()) {
                    break;
                }
                let (capability, told, mut rows) = entry.remove();
                consolidate(&mut rows);
                let outcome = predictor.tell(&told, &rows);
                if let Some(cut) = told.cut {
                    keeper.save(&mut predictor, cut);
                }
                if !outcome.predictions.is_empty() || !outcome.commands.is_empty() {
                    output.session(&capability).give(outcome);
                }
            }
        }
    })
}

/// The state of one worker.
#[derive(Debug)]
pub struct Predictor {
    index: usize,
    peers: usize,
    settings: Settings,
    now: Moment,
    plant: Known,
    sites: BTreeMap<SiteId, Site>,
}

/// What the domain said last of models and of the plant.
#[derive(Debug, Default)]
struct Known {
    versions: FxHashMap<(&'static str, u128), i64>,
    points: FxHashMap<PointNumber, Point>,
    positions: FxHashMap<PositionId, Position>,
    /// All versions of each model, because an hour is scored by the one valid at its start.
    models: BTreeMap<ModelId, BTreeMap<i64, Arc<Model>>>,
}

impl Predictor {
    pub fn new(index: usize, peers: usize, settings: Settings) -> Predictor {
        Predictor { index, peers, settings, now: Moment::MIN, plant: Known::default(), sites: BTreeMap::new() }
    }

    /// Takes in one tick, its rows added up, and returns what it changed.
    pub fn tell(&mut self, told: &Told, rows: &[(WatchedRollup, Diff)]) -> Outcome {
        let mut changed: BTreeSet<Option<SiteId>> = BTreeSet::new();
        for event in &told.events {
            self.plant.apply(event, &mut changed);
        }
        if let Some(binding) = &told.binding {
            self.now = self.now.max(binding.clock);
        }
        // What is taken back goes first, so that a row replaced in the same tick is there in the end.
        let gone = rows.iter().filter(|(_, diff)| *diff < 0);
        for (row, diff) in gone.chain(rows.iter().filter(|(_, diff)| *diff > 0)) {
            let Some(point) = self.plant.points.get(&row.point) else {
                continue;
            };
            if point.site.0.as_u128() % self.peers as u128 == self.index as u128 {
                self.sites.entry(point.site).or_default().hear(row, *diff, self.settings);
            }
        }
        let mut outcome = Outcome::default();
        for (id, site) in &mut self.sites {
            if changed.contains(&Some(*id)) || changed.contains(&None) {
                site.touch_all();
            }
            site.settle(*id, &self.plant, self.settings, self.now, &mut outcome);
        }
        outcome
    }
}

impl Known {
    /// `changed` gets the sites whose scores must be made anew; `None` stands for all.
    fn apply(&mut self, event: &Event, changed: &mut BTreeSet<Option<SiteId>>) {
        let version = self.versions.entry((event.row.entity(), event.row.id().as_u128())).or_insert(i64::MIN);
        if *version >= event.version {
            return;
        }
        match &event.row {
            Row::Point(point) => {
                let before =
                    if event.removed { self.points.remove(&point.number) } else { self.points.insert(point.number, point.clone()) };
                let same =
                    before.as_ref().is_some_and(|before| !event.removed && before.position == point.position && before.kind == point.kind);
                if !same {
                    changed.insert(Some(point.site));
                }
            }
            Row::Position(position) => {
                let before =
                    if event.removed { self.positions.remove(&position.id) } else { self.positions.insert(position.id, position.clone()) };
                if event.removed || before.is_none_or(|before| before.class != position.class) {
                    changed.insert(Some(position.site));
                }
            }
            Row::Model(model) => {
                if event.removed {
                    self.models.remove(&model.id);
                } else if is_whole(model) {
                    self.models.entry(model.id).or_default().insert(model.version, Arc::new(model.clone()));
                }
                changed.insert(None);
            }
            Row::Site(_) | Row::Rule(_) | Row::Calendar(_) | Row::Policy(_) | Row::Order(_) => return,
        }
        *version = event.version;
    }

    /// The version of a model that speaks of an hour.
    fn version_at(versions: &BTreeMap<i64, Arc<Model>>, hour: Moment) -> Option<&Arc<Model>> {
        versions.values().filter(|model| model.valid_from <= hour).max_by_key(|model| (model.valid_from, model.version))
    }
}
