//! Alarm rules: where they apply, what they watch, and since when.

use crate::{
    id::{RuleId, SiteId},
    plant::{Point, Position},
    time::Moment,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// Which points a rule speaks of: those that match every part that is set. At least one part is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Key of one point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Asset class of the point's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Canonical quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Scope {
    pub fn covers(&self, point: &Point, position: Option<&Position>) -> bool {
        self.point.as_ref().is_none_or(|key| *key == point.key)
            && self.site.is_none_or(|site| site == point.site)
            && self.class.as_ref().is_none_or(|class| position.is_some_and(|position| position.class == *class))
            && self.kind.as_ref().is_none_or(|kind| *kind == point.kind)
    }

    /// How near a rule is to a point that it covers: point before site before class before kind, and of two
    /// with the same first part the one that says more.
    pub fn nearness(&self) -> u8 {
        8 * u8::from(self.point.is_some())
            + 4 * u8::from(self.site.is_some())
            + 2 * u8::from(self.class.is_some())
            + u8::from(self.kind.is_some())
    }
}

/// What makes the condition true. Values hold until the next reading (sample and hold); `bad` readings are
/// not looked at. Delays and staleness run on event time, driven on by the partition's watermark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    /// Above `limit`; over when at or below `limit - deadband`.
    High {
        limit: f64,
        #[serde(default)]
        deadband: f64,
        #[serde(default)]
        on_delay_ms: i64,
        #[serde(default)]
        off_delay_ms: i64,
    },
    /// Below `limit`; over when at or above `limit + deadband`.
    Low {
        limit: f64,
        #[serde(default)]
        deadband: f64,
        #[serde(default)]
        on_delay_ms: i64,
        #[serde(default)]
        off_delay_ms: i64,
    },
    /// Nothing good or uncertain for `after_ms`; onset is the last reading plus `after_ms`.
    Stale { after_ms: i64 },
    /// The change from the reading before, per second, beyond `limit_per_s` in either direction.
    Rate {
        limit_per_s: f64,
        #[serde(default)]
        on_delay_ms: i64,
        #[serde(default)]
        off_delay_ms: i64,
    },
}

impl Condition {
    /// The group in which a rule competes unless it names another: the nearest rule of a group wins.
    pub const fn group(&self) -> &'static str {
        match self {
            Condition::High { .. } => "high",
            Condition::Low { .. } => "low",
            Condition::Stale { .. } => "stale",
            Condition::Rate { .. } => "rate",
        }
    }

    pub const fn limit(&self) -> f64 {
        match self {
            Condition::High { limit, .. } | Condition::Low { limit, .. } => *limit,
            Condition::Stale { after_ms } => *after_ms as f64 / 1_000.0,
            Condition::Rate { limit_per_s, .. } => *limit_per_s,
        }
    }
}

/// What an alarm of this rule makes people do, if anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderTemplate {
    /// Work-order type: `corrective`, `inspection`, `cleaning`, …
    pub order_type: String,
    /// `emergency`, `high`, `medium` or `low`.
    pub priority: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleVersion {
    pub version: i64,
    /// A reading is judged by the version valid at its moment.
    pub valid_from: Moment,
    /// False: from `valid_from` on the rule says nothing.
    pub enabled: bool,
    pub severity: Severity,
    pub condition: Condition,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderTemplate>,
}

/// A rule with all versions ever published, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub id: RuleId,
    pub name: String,
    pub scope: Scope,
    /// Rules of one group compete for a point and the nearest wins; default [`Condition::group`].
    pub group: String,
    pub versions: Vec<RuleVersion>,
}

impl Rule {
    /// The version valid at `at`, also when it says "disabled"; `None` before the first.
    pub fn version_at(&self, at: Moment) -> Option<&RuleVersion> {
        self.versions.iter().filter(|version| version.valid_from <= at).max_by_key(|version| (version.valid_from, version.version))
    }
}
