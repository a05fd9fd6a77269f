//! Business calendars: weekly hours in a zone, less holidays.
//!
//! An instant is business time when the wall clock of the calendar's zone then shows a time inside an opening and
//! a date that is no holiday. So an hour that a clock change skips is not counted, one that it repeats is counted
//! twice, and a holiday closes exactly its local date, also the part of an opening that crosses into it.

use crate::{
    id::CalendarId,
    time::{DAY, HOUR, Moment, SECOND},
};
use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// How far any question to a calendar looks ahead, in days: ten years. What lies beyond counts as closed, so that
/// a mistyped date cannot occupy a worker.
pub const DAYS_MAX: i64 = 3_653;

/// Questions about moments outside these are answered as of these: the years 1900 and 2500.
const EARLIEST: Moment = Moment(-2_208_988_800 * SECOND);
const LATEST: Moment = Moment(16_725_225_600 * SECOND);

/// Open from `from` to `to` (exclusive; `00:00` as `to` means midnight at the end of the day) on a weekday. Where
/// `to` is not after `from`, the opening crosses midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    pub weekday: u8,
    pub from: NaiveTime,
    pub to: NaiveTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    pub date: NaiveDate,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    pub id: CalendarId,
    pub name: String,
    pub zone: Tz,
    pub openings: Vec<Opening>,
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

/// From `from` until before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    pub from: Moment,
    pub to: Moment,
}

impl Interval {
    /// Microseconds, 0 when it ends before it begins.
    pub fn length(&self) -> i64 {
        self.to.0.saturating_sub(self.from.0).max(0)
    }

    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// The part that both share; empty when there is none.
    pub fn cut(self, other: Interval) -> Interval {
        Interval { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// Why a calendar is no calendar. Openings are named by their place in the list, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    #[error("the calendar has no openings: name at least one, such as weekday 1 from 09:00 to 17:00")]
    NoOpenings,
    #[error("opening {opening}: weekday {weekday} is not one of 1 (Monday) to 7 (Sunday)")]
    Weekday { opening: usize, weekday: u8 },
    #[error("openings {first} and {second} overlap")]
    Overlap { first: usize, second: usize },
}

impl Opening {
    /// From and to in microseconds after the local midnight that begins its weekday.
    fn span(&self) -> (i64, i64) {
        let (from, to) = (micros(self.from), micros(self.to));
        (from, if to <= from { to + DAY } else { to })
    }
}

fn micros(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1_000).min(SECOND - 1)
}

impl Calendar {
    /// Says what is wrong with it, precisely enough to put it right.
    pub fn check(&self) -> Result<(), CalendarFault> {
        if self.openings.is_empty() {
            return Err(CalendarFault::NoOpenings);
        }
        let mut spans = Vec::with_capacity(self.openings.len());
        for (index, opening) in self.openings.iter().enumerate() {
            if !(1..=7).contains(&opening.weekday) {
                return Err(CalendarFault::Weekday { opening: index + 1, weekday: opening.weekday });
            }
            let (from, to) = opening.span();
            let day = i64::from(opening.weekday - 1) * DAY;
            spans.push((day + from, day + to, index + 1));
        }
        spans.sort_unstable();
        // The first opening of the week comes again after its last, which may cross into it.
        let (from, to, first) = spans[0];
        spans.push((from + 7 * DAY, to + 7 * DAY, first));
        for pair in spans.windows(2) {
            if pair[1].0 < pair[0].1 {
                return Err(CalendarFault::Overlap { first: pair[0].2.min(pair[1].2), second: pair[0].2.max(pair[1].2) });
            }
        }
        Ok(())
    }

    /// The business intervals between two moments, in order, one or more per local date; looks [`DAYS_MAX`] ahead.
    pub fn intervals(&self, from: Moment, to: Moment) -> Intervals<'_> {
        let from = from.clamp(EARLIEST, LATEST);
        let to = to.clamp(EARLIEST, LATEST).min(from.plus(DAYS_MAX * DAY));
        // A day more on either side, because a clock put back at midnight mixes the instants of two dates.
        let first = self.date_of(from) - chrono::Days::new(1);
        let last = self.date_of(to) + chrono::Days::new(1);
        Intervals { calendar: self, range: Interval { from, to }, next_date: first, last_date: last, found: VecDeque::new() }
    }

    /// Microseconds of business time between two moments; 0 when `to` is not after `from`.
    pub fn business_time(&self, from: Moment, to: Moment) -> i64 {
        self.intervals(from, to).map(|interval| interval.length()).sum()
    }

    /// The first moment at which `duration` microseconds of business time have passed since `start`; `start` itself for
    /// nothing or less. `None` when that takes longer than [`DAYS_MAX`].
    pub fn add(&self, start: Moment, duration: i64) -> Option<Moment> {
        let mut left = duration;
        if left <= 0 {
            return Some(start);
        }
        for interval in self.intervals(start, Moment::MAX) {
            if left <= interval.length() {
                return Some(interval.from.plus(left));
            }
            left -= interval.length();
        }
        None
    }

    pub fn holiday(&self, date: NaiveDate) -> Option<&Holiday> {
        self.holidays.iter().find(|holiday| holiday.date == date)
    }

    /// The local date of a moment.
    pub fn date_of(&self, at: Moment) -> NaiveDate {
        at.clamp(EARLIEST, LATEST).utc().with_timezone(&self.zone).date_naive()
    }

    /// Whether the weekly openings reach into this date, holidays left aside.
    pub fn opens_on(&self, date: NaiveDate) -> bool {
        !self.wall_spans(date).is_empty()
    }

    /// Openings on a date as the wall clock shows them, in microseconds after its midnight: sorted and merged.
    fn wall_spans(&self, date: NaiveDate) -> Vec<(i64, i64)> {
        let today = date.weekday().number_from_monday() as u8;
        let yesterday = if today == 1 { 7 } else { today - 1 };
        let mut spans = Vec::new();
        for opening in &self.openings {
            let (from, to) = opening.span();
            if opening.weekday == today {
                spans.push((from, to.min(DAY)));
            }
            if opening.weekday == yesterday && to > DAY {
                spans.push((0, to - DAY));
            }
        }
        spans.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (from, to) in spans {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        merged
    }

    /// The instants at which the wall clock shows one of the date's openings.
    fn open_on(&self, date: NaiveDate, found: &mut Vec<Interval>) {
        if self.holiday(date).is_some() {
            return;
        }
        let midnight = date.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        for (from, to) in self.wall_spans(date) {
            instants(self.zone, midnight + from, midnight + to, found);
        }
    }
}

fn offset_at(zone: Tz, at: i64) -> i64 {
    let utc = Moment(at).clamp(EARLIEST.minus(2 * DAY), LATEST.plus(2 * DAY)).utc().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * SECOND
}

/// The instants at which a wall clock shows a time between `from` and `to`: one interval, or up to two where it is
/// changed on the way. (No zone of today changes its clock twice within two days.)
fn instants(zone: Tz, from: i64, to: i64, found: &mut Vec<Interval>) {
    // Every offset in use lies between -12 h and +14 h.
    let (mut before, mut after) = (from - 15 * HOUR, to + 15 * HOUR);
    let (old, new) = (offset_at(zone, before), offset_at(zone, after));
    if old == new {
        found.push(Interval { from: Moment(from - old), to: Moment(to - old) });
        return;
    }
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset_at(zone, middle) == old { before = middle } else { after = middle }
    }
    let change = Moment(after);
    let first = Interval { from: Moment(from - old), to: Moment(to - old).min(change) };
    let second = Interval { from: Moment(from - new).max(change), to: Moment(to - new) };
    if first.to == second.from && !first.is_empty() && !second.is_empty() {
        found.push(Interval { from: first.from, to: second.to });
    } else {
        found.extend([first, second].into_iter().filter(|interval| !interval.is_empty()));
    }
}

/// See [`Calendar::intervals`]. Works date by date and holds those of three dates at most.
#[derive(Debug)]
pub struct Intervals<'a> {
    calendar: &'a Calendar,
    range: Interval,
    next_date: NaiveDate,
    last_date: NaiveDate,
    found: VecDeque<(NaiveDate, Interval)>,
}

impl Intervals<'_> {
    fn look_at_next_date(&mut self) {
        let date = self.next_date;
        self.next_date = date + chrono::Days::new(1);
        let mut open = Vec::new();
        self.calendar.open_on(date, &mut open);
        let cut = open.into_iter().map(|interval| (date, interval.cut(self.range))).filter(|(_, interval)| !interval.is_empty());
        self.found.extend(cut);
        self.found.make_contiguous().sort_unstable_by_key(|(_, interval)| *interval);
    }
}

impl Iterator for Intervals<'_> {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        loop {
            // An interval is the next one for sure once the date after its own has been looked at.
            let sure = match self.found.front() {
                Some((date, _)) => self.next_date > self.last_date || *date + chrono::Days::new(1) < self.next_date,
                None if self.next_date > self.last_date => return None,
                None => false,
            };
            if sure {
                return self.found.pop_front().map(|(_, interval)| interval);
            }
            self.look_at_next_date();
        }
    }
}
