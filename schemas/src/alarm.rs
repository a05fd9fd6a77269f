//! Occurrences of alarms, as the engine derives them. What people see of them is [`state`].

pub mod state;

use crate::{
    id::{AlarmId, PointNumber, RuleId, derived_id},
    rule::Severity,
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// One interval in which a rule's condition held on a point, delays applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub id: AlarmId,
    pub rule: RuleId,
    pub version: i64,
    pub point: PointNumber,
    pub severity: Severity,
    /// The first breaching moment (not when the delay had passed).
    pub onset: Moment,
    /// Onset plus on-delay: from when it counts as an alarm.
    pub raised: Moment,
    /// The first moment of the return to normal that lasted; `None` while active.
    pub cleared: Option<Moment>,
    /// The value at onset; the seconds without a reading for staleness.
    pub value: f64,
    /// The worst value so far, said when raised and when cleared.
    pub peak: f64,
    pub limit: f64,
}

impl Alarm {
    /// The id is a hash of rule, point and onset: the same on every worker, in every replay.
    pub fn id_of(rule: RuleId, point: PointNumber, onset: Moment) -> AlarmId {
        AlarmId(derived_id("alarm", &[rule.0.as_bytes(), &point.0.to_be_bytes(), &onset.0.to_be_bytes()]))
    }

    pub fn overlaps(&self, other: &Alarm) -> bool {
        self.onset < other.cleared.unwrap_or(Moment::MAX) && other.onset < self.cleared.unwrap_or(Moment::MAX)
    }
}

/// What happened to an occurrence at a tick, beside the difference in rows.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmEvent {
    Raised(Alarm),
    /// Late data moved its onset: acknowledgement, comments and order follow to the new id.
    Moved {
        from: AlarmId,
        to: Alarm,
    },
    /// Late data disproved it and nothing overlaps.
    Retracted(Alarm),
}
