//! Preventive work: what makes it due, and how plans and their occurrences move.

pub mod due;
pub mod machines;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rrule::{RRule, RRuleSet, Unvalidated};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What makes work due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// A recurrence rule of RFC 5545, in the local time of a zone.
    Time { start: DateTime<Utc>, rrule: String, zone: Tz, anchor: Anchor },
    /// Every so much on the meter of the position that counts this register.
    Meter {
        register: String,
        interval: Decimal,
        /// How much earlier it may be done.
        #[serde(default)]
        tolerance: Decimal,
    },
    /// An alarm of this rule at the position.
    Condition { rule: Uuid },
}

/// What the next due date of a recurrence is reckoned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The rule's own dates, whenever the work was done.
    Fixed,
    /// The last completion.
    Floating,
}

/// How several triggers make one due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    FirstOf,
    AllOf,
}

impl Trigger {
    /// What is wrong with it, if anything.
    pub fn fault(&self) -> Option<String> {
        match self {
            Trigger::Time { start, rrule, zone, .. } => recurrence(rrule, *start, *zone).err(),
            Trigger::Meter { interval, tolerance, .. } => {
                let fine = *interval > Decimal::ZERO && *tolerance >= Decimal::ZERO && tolerance < interval;
                (!fine).then(|| "an interval is above 0 and its tolerance is less than it".into())
            }
            Trigger::Condition { .. } => None,
        }
    }
}

/// Reads a rule with its first date.
pub(crate) fn recurrence(rule: &str, start: DateTime<Utc>, zone: Tz) -> Result<RRuleSet, String> {
    let rule: RRule<Unvalidated> = rule.parse().map_err(|error| format!("{rule:?} is not a recurrence rule: {error}"))?;
    rule.build(start.with_timezone(&rrule::Tz::Tz(zone))).map_err(|error| format!("the recurrence cannot be: {error}"))
}
