//! What the engine was told of the plant: the newest version of each row.

use crate::{
    alarms::Places,
    rules::{Judge, Rulebook, Timeline, TimelinePool},
};
use chrono_tz::Tz;
use dcmms_schemas::{
    domain::{Event, Row},
    id::{PointNumber, PositionId, RuleId, SiteId},
    model::Model,
    plant::{Point, Position},
    rule::OrderTemplate,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Sites, positions, points, rules and models; of points only those that this worker owns.
#[derive(Debug)]
pub(crate) struct Plant {
    worker: usize,
    peers: usize,
    versions: FxHashMap<(&'static str, Uuid), i64>,
    zones: FxHashMap<SiteId, Tz>,
    positions: FxHashMap<PositionId, Position>,
    points: FxHashMap<PointNumber, Point>,
    models: FxHashMap<Uuid, Model>,
    rules: Rulebook,
    timelines: TimelinePool,
}

/// What a tick's events touch. Points are looked at once, when all events are in, however many concern them.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) points: FxHashSet<PointNumber>,
    pub(crate) removed: FxHashSet<PointNumber>,
    sites: FxHashSet<SiteId>,
    positions: FxHashSet<PositionId>,
    everything: bool,
}

impl Plant {
    pub(crate) fn new(worker: usize, peers: usize) -> Plant {
        Plant {
            worker,
            peers,
            versions: FxHashMap::default(),
            zones: FxHashMap::default(),
            positions: FxHashMap::default(),
            points: FxHashMap::default(),
            models: FxHashMap::default(),
            rules: Rulebook::default(),
            timelines: TimelinePool::default(),
        }
    }

    /// Takes in a change; an older version or a repeat changes nothing.
    pub(crate) fn apply(&mut self, event: &Event, touched: &mut Touched) {
        if !matches!(event.row, Row::Site(_) | Row::Position(_) | Row::Point(_) | Row::Rule(_) | Row::Model(_)) {
            return;
        }
        let known = self.versions.entry((event.row.entity(), event.row.id())).or_insert(i64::MIN);
        if *known >= event.version {
            return;
        }
        *known = event.version;
        match &event.row {
            Row::Site(site) => {
                if self.zones.insert(site.id, site.zone) != Some(site.zone) {
                    touched.sites.insert(site.id);
                }
            }
            Row::Position(position) => {
                touched.positions.insert(position.id);
                if event.removed {
                    self.positions.remove(&position.id);
                } else {
                    self.positions.insert(position.id, position.clone());
                }
            }
            Row::Point(point) => self.apply_point(point, event.removed, touched),
            Row::Rule(rule) => {
                touched.everything = true;
                self.timelines = TimelinePool::default();
                if event.removed {
                    self.rules.remove(rule.id, event.at);
                } else {
                    self.rules.upsert(rule.clone());
                }
            }
            Row::Model(model) => {
                touched.everything = true;
                if event.removed {
                    self.models.remove(&model.id.0);
                } else {
                    self.models.insert(model.id.0, model.clone());
                }
            }
            Row::Calendar(_) | Row::Policy(_) | Row::Order(_) => {}
        }
    }

    fn apply_point(&mut self, point: &Point, removed: bool, touched: &mut Touched) {
        if point.number.0 as usize % self.peers != self.worker {
            return;
        }
        if removed {
            self.points.remove(&point.number);
            touched.points.remove(&point.number);
            touched.removed.insert(point.number);
        } else {
            self.points.insert(point.number, point.clone());
            touched.removed.remove(&point.number);
            touched.points.insert(point.number);
        }
    }

    /// The points that a tick's events touch, in the order of their numbers.
    pub(crate) fn touched(&self, touched: &Touched) -> Vec<PointNumber> {
        let mut numbers: Vec<PointNumber> = touched.points.iter().copied().collect();
        if touched.everything || !touched.sites.is_empty() || !touched.positions.is_empty() {
            let concerned = self.points.values().filter(|point| {
                touched.everything
                    || touched.sites.contains(&point.site)
                    || point.position.is_some_and(|position| touched.positions.contains(&position))
            });
            numbers.extend(concerned.map(|point| point.number));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    pub(crate) fn point(&self, number: PointNumber) -> Option<&Point> {
        self.points.get(&number)
    }

    pub(crate) fn position(&self, point: &Point) -> Option<&Position> {
        self.positions.get(&point.position?)
    }

    /// The site's zone; UTC until the site is known.
    pub(crate) fn zone(&self, point: &Point) -> Tz {
        self.zones.get(&point.site).copied().unwrap_or(Tz::UTC)
    }

    /// Whether some model speaks of the class of this position.
    pub(crate) fn has_model(&self, position: &Position) -> bool {
        self.models.values().any(|model| model.class == position.class)
    }

    /// The judge that a version of a rule is.
    pub(crate) fn judge(&self, rule: RuleId, version: i64) -> Option<Arc<Judge>> {
        self.rules.judge(rule, version).cloned()
    }

    /// Who judges a point.
    pub(crate) fn timelines(&mut self, number: PointNumber) -> Vec<Timeline> {
        let Some(point) = self.points.get(&number) else { return Vec::new() };
        let position = point.position.and_then(|position| self.positions.get(&position));
        let effective = self.rules.effective(point, position);
        effective.into_iter().map(|timeline| self.timelines.share(timeline)).collect()
    }
}

impl Places for Plant {
    fn place(&self, point: PointNumber) -> Option<(SiteId, Option<PositionId>)> {
        self.points.get(&point).map(|point| (point.site, point.position))
    }

    fn order(&self, rule: RuleId, version: i64) -> Option<&OrderTemplate> {
        self.rules.judge(rule, version)?.order.as_ref()
    }
}
