//! SLA clocks: how long people had, counted in business time.
//!
//! `elapsed(t) = |[start, t] ∩ business hours \ pauses|` and `due = min { t : elapsed(t) = target }`. That is a pure
//! function of facts, policy and calendar (see [`reckoning`]), so a holiday added later, a pause put right or an onset that
//! moved derives the clock anew, and a met clock may turn out missed.

pub mod explanation;
pub mod policy;
pub mod reckoning;

#[cfg(test)]
mod tests;

pub use policy::{PolicyFault, policy_for};
pub use reckoning::{Reckoning, clock, next_change};

use crate::{
    id::{CalendarId, OrderId, PolicyId},
    time::Moment,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// From onset to the first start of work.
    Respond,
    /// From onset to the restoration.
    Resolve,
}

impl Metric {
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Respond => "respond",
            Metric::Resolve => "resolve",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub metric: Metric,
    /// Business time allowed.
    pub minutes: i64,
    /// Hold reasons that stop the clock.
    #[serde(default)]
    pub pause_reasons: Vec<String>,
    /// Warn when these shares of the target have passed, in percent.
    #[serde(default)]
    pub warn_percent: Vec<u8>,
}

/// Applies to orders that match every list that is not empty; of several policies the lowest `rank` wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub id: PolicyId,
    pub version: i64,
    pub name: String,
    pub rank: i32,
    pub calendar: CalendarId,
    #[serde(default)]
    pub order_types: Vec<String>,
    #[serde(default)]
    pub priorities: Vec<String>,
    #[serde(default)]
    pub sites: Vec<crate::id::SiteId>,
    pub targets: Vec<Target>,
    pub valid_from: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    Running,
    Paused,
    /// Past due and still open; it keeps counting.
    Breached,
    Met,
    Missed,
    /// The order was cancelled.
    Void,
}

impl ClockState {
    pub const fn name(self) -> &'static str {
        match self {
            ClockState::Running => "running",
            ClockState::Paused => "paused",
            ClockState::Breached => "breached",
            ClockState::Met => "met",
            ClockState::Missed => "missed",
            ClockState::Void => "void",
        }
    }
}

/// One clock of one order: a pure function of (start, stop, holds, calendar, target) and of the time asked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    pub order: OrderId,
    pub metric: Metric,
    pub policy: PolicyId,
    pub policy_version: i64,
    pub state: ClockState,
    pub started: Moment,
    pub stopped: Option<Moment>,
    /// `None` while paused: then no moment can be named.
    pub due: Option<Moment>,
    pub target_s: i64,
    /// Business seconds counted up to the last change that this row tells of (a stop, a warning, a pause, the due moment), so
    /// that the row does not depend on when somebody looked; [`Reckoning::elapsed`] says how many by now.
    pub elapsed_s: i64,
    /// The greatest warning share passed so far, in percent.
    pub warned_percent: Option<u8>,
    /// Business intervals counted and pauses left out, for a person (see [`explanation`]).
    pub explanation: serde_json::Value,
}
