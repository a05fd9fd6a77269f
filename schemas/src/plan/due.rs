//! When work is due next: a pure function of the triggers and of what happened at a place.

use super::{Anchor, Combine, Trigger, recurrence};
use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Dates of one recurrence that are looked at for the next one; a rule that needs more never comes.
const DATES_MAX: usize = 10_000;
/// Occurrences of a forecast at most.
pub const FORECAST_MAX: usize = 500;

/// What happened at one place so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    pub last_due: Option<DateTime<Utc>>,
    pub last_done: Option<DateTime<Utc>>,
    /// What the meter had counted when the last one was due by it.
    pub last_meter: Option<Decimal>,
    /// One is open still.
    pub open: bool,
    /// By register.
    pub meters: BTreeMap<String, Meter>,
    /// Onsets of the active alarms, by rule.
    pub alarms: BTreeMap<Uuid, DateTime<Utc>>,
}

/// How a meter stands and how fast it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meter {
    pub total: Decimal,
    pub at: DateTime<Utc>,
    pub per_day: Option<Decimal>,
}

/// One due date, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    pub at: DateTime<Utc>,
    /// `time`, `meter` or `condition`.
    pub basis: &'static str,
    /// What tells it from every other of its plan and place, however often it is reckoned.
    pub cause: String,
    pub meter: Option<Decimal>,
}

/// What a plan says about dates.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    pub triggers: &'a [Trigger],
    pub combine: Combine,
    /// Months in which work may fall; none: all.
    pub months: &'a [u32],
    pub zone: Tz,
    pub active_from: DateTime<Utc>,
}

impl Rules<'_> {
    /// The next due date, if anything will make it due.
    pub fn next(&self, past: &Past) -> Option<Due> {
        let each = self.triggers.iter().map(|trigger| self.of(trigger, past));
        let due = match self.combine {
            Combine::FirstOf => each.flatten().min_by_key(|due| due.at),
            Combine::AllOf => each.collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|due| due.at),
        }?;
        Some(Due { at: in_season(due.at, self.months, self.zone), ..due })
    }

    fn of(&self, trigger: &Trigger, past: &Past) -> Option<Due> {
        match trigger {
            Trigger::Time { start, rrule, zone, anchor } => {
                let (from, after) = match (anchor, past.last_done) {
                    (Anchor::Floating, _) if past.open => return None,
                    (Anchor::Floating, Some(done)) => (done, Some(done)),
                    _ => (*start, past.last_due),
                };
                let mut first = recurrence(rrule, from, *zone).ok()?.into_iter().take(DATES_MAX).map(|date| date.with_timezone(&Utc));
                let at = first.find(|date| *date >= self.active_from && after.is_none_or(|after| *date > after))?;
                Some(Due { at, basis: "time", cause: format!("time/{}", at.timestamp()), meter: None })
            }
            Trigger::Meter { .. } | Trigger::Condition { .. } if past.open => None,
            Trigger::Meter { register, interval, tolerance } => {
                let meter = past.meters.get(register)?;
                let target = past.last_meter.unwrap_or_default() + interval;
                let missing = target - tolerance - meter.total;
                let at = if missing <= Decimal::ZERO {
                    meter.at
                } else {
                    let days = missing / meter.per_day.filter(|rate| *rate > Decimal::ZERO)?;
                    meter.at + TimeDelta::try_seconds((days * Decimal::from(86_400)).to_i64()?)?
                };
                Some(Due { at, basis: "meter", cause: format!("meter/{register}/{}", target.normalize()), meter: Some(target) })
            }
            Trigger::Condition { rule } => {
                let onset = *past.alarms.get(rule)?;
                let fresh = past.last_done.is_none_or(|done| onset > done);
                fresh.then(|| Due {
                    at: onset,
                    basis: "condition",
                    cause: format!("alarm/{rule}/{}", onset.timestamp_micros()),
                    meter: None,
                })
            }
        }
    }

    /// What will be due until `until`, if everything is done on its day and meters go on as they did.
    pub fn forecast(&self, past: &Past, until: DateTime<Utc>) -> Vec<Due> {
        let (mut past, mut dues) = (past.clone(), Vec::new());
        past.open = false;
        while dues.len() < FORECAST_MAX {
            let Some(due) = self.next(&past).filter(|due| due.at <= until && past.last_due.is_none_or(|last| due.at > last)) else { break };
            past.last_due = Some(due.at);
            past.last_done = Some(due.at);
            past.last_meter = due.meter.or_else(|| self.metered(&past, due.at)).or(past.last_meter);
            past.alarms.clear();
            dues.push(due);
        }
        dues
    }

    /// What the plan's meter will have counted by then.
    fn metered(&self, past: &Past, at: DateTime<Utc>) -> Option<Decimal> {
        let register = self.triggers.iter().find_map(|trigger| match trigger {
            Trigger::Meter { register, .. } => Some(register),
            _ => None,
        })?;
        let meter = past.meters.get(register)?;
        let days = Decimal::from((at - meter.at).num_seconds().max(0)) / Decimal::from(86_400);
        Some((meter.total + days * meter.per_day.unwrap_or_default()).round_dp(4))
    }
}

/// The same time of day on the first day of the next month that is allowed.
fn in_season(at: DateTime<Utc>, months: &[u32], zone: Tz) -> DateTime<Utc> {
    let local = at.with_timezone(&zone).naive_local();
    if months.is_empty() || months.contains(&local.month()) {
        return at;
    }
    let first = local.date().with_day(1).unwrap_or(local.date());
    let later = (1..=12).filter_map(|ahead| first.checked_add_months(Months::new(ahead)));
    let moved = later.into_iter().find(|day| months.contains(&day.month())).map(|day| day.and_time(local.time()));
    moved.and_then(|moved| moved.and_local_timezone(zone).earliest()).map_or(at, |moved| moved.with_timezone(&Utc))
}

#[cfg(test)]
mod tests;
