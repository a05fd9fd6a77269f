//! A clock told to a person: which hours were counted, what was left out, and where the due moment comes from.

use super::Reckoning;
use crate::{
    calendar::{Calendar, Interval},
    order::Hold,
    time::{MINUTE, Moment},
};
use chrono::{Days, SecondsFormat};
use serde_json::{Value, json};

/// The most entries of any list in an explanation; the rest is a number.
pub const LISTED_MAX: usize = 50;

/// The same for every time asked at, so that a clock's row is not said again for its explanation's sake. Counted are the
/// intervals up to the stop, else up to the due moment, else up to the pause that has no end.
pub(super) fn explain(reckoning: &Reckoning<'_>) -> Value {
    let calendar = reckoning.calendar;
    let show = |at: Moment| at.utc().with_timezone(&calendar.zone).to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let interval = |interval: Interval| json!({ "from": show(interval.from), "to": show(interval.to) });
    let end = counted_to(reckoning);
    let (counted, counted_more) = listed(reckoning.counted(end).map(interval));
    let (paused, paused_more) = listed(
        holds(reckoning, end)
            .map(|hold| json!({ "from": show(hold.from.max(reckoning.facts.onset)), "to": hold.to.map(show), "reason": hold.reason })),
    );
    let (holidays, holidays_more) = listed(holidays(calendar, reckoning.facts.onset, end));
    json!({
        "calendar": calendar.name,
        "zone": calendar.zone.name(),
        "counted": counted,
        "counted_more": counted_more,
        "pauses": paused,
        "pauses_more": paused_more,
        "holidays": holidays,
        "holidays_more": holidays_more,
        "due": due(reckoning, show),
    })
}

fn counted_to(reckoning: &Reckoning<'_>) -> Moment {
    let open_pause = reckoning.pauses.last().filter(|pause| pause.to == Moment::MAX).map(|pause| pause.from);
    reckoning.stopped.or(reckoning.due).or(open_pause).unwrap_or(reckoning.facts.onset)
}

fn listed(entries: impl Iterator<Item = Value>) -> (Vec<Value>, usize) {
    let mut entries = entries;
    let first: Vec<Value> = entries.by_ref().take(LISTED_MAX).collect();
    (first, entries.count())
}

/// The holds that stopped the clock before it came to `end`.
fn holds<'a>(reckoning: &'a Reckoning<'_>, end: Moment) -> impl Iterator<Item = &'a Hold> {
    let onset = reckoning.facts.onset;
    let named = |hold: &&Hold| reckoning.target.pause_reasons.contains(&hold.reason);
    reckoning.facts.holds.iter().filter(named).filter(move |hold| hold.from <= end && hold.to.is_none_or(|to| to > onset.max(hold.from)))
}

/// Holidays on the way that fall on a date with openings.
fn holidays(calendar: &Calendar, from: Moment, to: Moment) -> impl Iterator<Item = Value> + '_ {
    let (first, last) = (calendar.date_of(from), calendar.date_of(to));
    let days = (last - first).num_days().clamp(0, crate::calendar::DAYS_MAX) as u64;
    (0..=days).filter_map(move |day| {
        let date = first + Days::new(day);
        let holiday = calendar.holiday(date).filter(|_| calendar.opens_on(date))?;
        Some(json!({ "date": holiday.date, "name": holiday.name }))
    })
}

fn due(reckoning: &Reckoning<'_>, show: impl Fn(Moment) -> String) -> String {
    let target = duration(reckoning.target.micros());
    let from = show(reckoning.facts.onset);
    let calendar = &reckoning.calendar.name;
    if reckoning.facts.cancelled {
        return "the order was cancelled, so nothing is due".into();
    }
    match reckoning.due {
        Some(due) => format!("{target} of `{calendar}` from {from}, pauses left out, are used up at {}", show(due)),
        None if reckoning.pauses.last().is_some_and(|pause| pause.to == Moment::MAX) => {
            format!("{target} of `{calendar}` from {from}; no moment can be named while the clock is paused")
        }
        None => format!("{target} of `{calendar}` from {from} are not used up within {} days", crate::calendar::DAYS_MAX),
    }
}

/// `4 h 30 min` of business time.
fn duration(micros: i64) -> String {
    let minutes = micros / MINUTE;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
