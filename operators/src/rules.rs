//! Which version of which rule judges a point, over event time.
//!
//! Rules of one group compete for a point. At each moment the nearest one ([`Scope::nearness`]) that has an enabled
//! version wins, so a nearer rule that is disabled from some moment on gives way to the next. The answer is a
//! piecewise constant function of event time, a [`Timeline`]; a reading is judged by what it says at its moment.
//!
//! [`Scope::nearness`]: dcmms_schemas::rule::Scope::nearness

use dcmms_schemas::{
    id::RuleId,
    plant::{Point, Position},
    rule::{Condition, OrderTemplate, Rule, Severity},
    time::Moment,
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeMap, sync::Arc};

#[cfg(test)]
mod tests;

/// One version of a rule as a judge of readings; shared by all the points that it covers.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    pub rule: RuleId,
    pub version: i64,
    pub severity: Severity,
    pub condition: Condition,
    pub order: Option<OrderTemplate>,
}

impl Judge {
    /// Whether an interval that began under `self` goes on under `other`: versions of one rule that watch for the
    /// same kind of thing.
    pub fn hands_over_to(&self, other: &Judge) -> bool {
        self.rule == other.rule && std::mem::discriminant(&self.condition) == std::mem::discriminant(&other.condition)
    }
}

/// From `from` until the next segment's `from`.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub from: Moment,
    pub judge: Option<Arc<Judge>>,
}

/// Who judges a point in one group. The first segment begins at [`Moment::MIN`]; neighbours differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub group: Arc<str>,
    pub segments: Arc<[Segment]>,
}

impl Timeline {
    /// The index of the segment that holds `at`.
    pub fn index_at(&self, at: Moment) -> usize {
        self.segments.partition_point(|segment| segment.from <= at).saturating_sub(1)
    }

    /// The same group with nobody to judge.
    pub fn silent(&self) -> Timeline {
        Timeline { group: Arc::clone(&self.group), segments: [Segment { from: Moment::MIN, judge: None }].into() }
    }

    pub fn judge_at(&self, at: Moment) -> Option<&Arc<Judge>> {
        self.segments[self.index_at(at)].judge.as_ref()
    }
}

/// A rule and its versions as judges.
#[derive(Clone, Debug)]
struct Entry {
    rule: Rule,
    /// The moment from which the domain removed it.
    removed: Option<Moment>,
    group: Arc<str>,
    judges: Vec<Arc<Judge>>,
}

/// All rules that were ever published, as far as the engine was told.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// Ordered by id, so that every worker answers in the same order.
    entries: BTreeMap<RuleId, Entry>,
}

impl Rulebook {
    /// Takes a rule, whole, in the place of what was known of it.
    pub fn upsert(&mut self, rule: Rule) {
        let judges = rule.versions.iter().map(|version| {
            Arc::new(Judge {
                rule: rule.id,
                version: version.version,
                severity: version.severity,
                condition: version.condition.clone(),
                order: version.order.clone(),
            })
        });
        let entry = Entry { removed: None, group: rule.group.as_str().into(), judges: judges.collect(), rule };
        self.entries.insert(entry.rule.id, entry);
    }

    /// Ends a rule at `at`: what it judged before stays judged. Its versions are kept for the lineage.
    pub fn remove(&mut self, rule: RuleId, at: Moment) {
        if let Some(entry) = self.entries.get_mut(&rule) {
            entry.removed = Some(entry.removed.map_or(at, |before| before.min(at)));
        }
    }

    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.entries.values().map(|entry| &entry.rule)
    }

    /// The judge that a version of a rule is, for the order that its alarms ask for.
    pub fn judge(&self, rule: RuleId, version: i64) -> Option<&Arc<Judge>> {
        self.entries.get(&rule)?.judges.iter().find(|judge| judge.version == version)
    }

    /// The timelines of a point, one per group in which some rule ever judges it, ordered by group.
    pub fn effective(&self, point: &Point, position: Option<&Position>) -> Vec<Timeline> {
        let mut groups: BTreeMap<&Arc<str>, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries.values() {
            if entry.rule.scope.covers(point, position) {
                groups.entry(&entry.group).or_default().push(entry);
            }
        }
        groups.into_iter().filter_map(|(group, rivals)| timeline(group, &rivals)).collect()
    }
}

/// Since when, and the version that judges from then on.
type Reign = (Moment, Option<(RuleId, i64)>);

/// Timelines that are equal, made one: most points of a class are judged by the same rules.
#[derive(Debug, Default)]
pub struct TimelinePool {
    /// By the versions that judge and since when; emptied when the rules change.
    known: FxHashMap<Vec<Reign>, Timeline>,
}

impl TimelinePool {
    /// The equal timeline met before, or this one.
    pub fn share(&mut self, timeline: Timeline) -> Timeline {
        let reign = |segment: &Segment| (segment.from, segment.judge.as_ref().map(|judge| (judge.rule, judge.version)));
        self.known.entry(timeline.segments.iter().map(reign).collect()).or_insert(timeline).clone()
    }
}

impl Entry {
    /// Since when, and as which judge, the rule speaks at `at`; `None` while it is disabled or not yet valid.
    fn speaks_at(&self, at: Moment) -> Option<(Moment, &Arc<Judge>)> {
        if self.removed.is_some_and(|removed| removed <= at) {
            return None;
        }
        let version = self.rule.version_at(at).filter(|version| version.enabled)?;
        let judge = self.judges.iter().find(|judge| judge.version == version.version)?;
        Some((version.valid_from, judge))
    }
}

/// Who wins when, of the rules of one group that cover one point.
fn timeline(group: &Arc<str>, rivals: &[&Entry]) -> Option<Timeline> {
    let mut moments: Vec<Moment> =
        rivals.iter().flat_map(|entry| entry.rule.versions.iter().map(|version| version.valid_from).chain(entry.removed)).collect();
    moments.push(Moment::MIN);
    moments.sort_unstable();
    moments.dedup();
    let mut segments: Vec<Segment> = Vec::with_capacity(moments.len());
    for from in moments {
        let winner = rivals
            .iter()
            .filter_map(|entry| entry.speaks_at(from).map(|(since, judge)| ((entry.rule.scope.nearness(), since, judge.rule), judge)))
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, judge)| Arc::clone(judge));
        if segments.last().is_none_or(|before| before.judge != winner) {
            segments.push(Segment { from, judge: winner });
        }
    }
    let judged = segments.iter().any(|segment| segment.judge.is_some());
    judged.then(|| Timeline { group: Arc::clone(group), segments: segments.into() })
}
