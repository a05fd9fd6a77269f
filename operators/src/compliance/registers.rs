//! Energy from registers that only grow.
//!
//! Each quarter counts what the register rose since the quarter before that had readings; a rise over a gap counts where it
//! ends. Where a register fell, a new one began: it counts from its first reading in that quarter, because what it
//! showed when it was put in is not known. Days first, then months, so that one more quarter costs a day and not a year.

use super::{AMOUNT_MAX, Measured, Quarter, Role, date_of, first_of_month};
use crate::{Diff, Rows, plant_rows::Zone, real::Real};
use chrono::NaiveDate;
use dcmms_schemas::id::{PointNumber, SiteId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Register {
    site: SiteId,
    zone: Zone,
    point: PointNumber,
    milli_per_unit: i64,
}

/// What a register did from the end of the first quarter of a day to the end of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Day {
    /// The first quarter, by its own first and last reading.
    opening: Real,
    after_first: Real,
    closing: Real,
    rise: i64,
    restarts: i64,
}

/// Rises in milliwatt-hours and restarts of each register, by site and month.
pub(super) fn monthly<'s>(measured: Measured<'s>) -> Rows<'s, (SiteId, NaiveDate, i64, i64)> {
    let quarters = measured.flat_map(|((site, zone), (point, role, quarter))| match role {
        Role::Register { milliwatt_hours_per_unit: milli_per_unit } => {
            Some(((Register { site, zone, point, milli_per_unit }, date_of(zone, quarter.start)), quarter))
        }
        _ => None,
    });
    let days = quarters.reduce_named("RegisterDays", |(register, _), quarters, out: &mut Vec<(Day, Diff)>| {
        out.push((day(register.milli_per_unit, quarters.iter().map(|(quarter, _)| **quarter)), 1));
    });
    let days = days.map(|((register, date), day)| (register, (date, day)));
    let months = days.reduce_named("RegisterMonths", |register, days, out: &mut Vec<((NaiveDate, i64, i64), Diff)>| {
        out.extend(months(register.milli_per_unit, days.iter().map(|(day, _)| **day)).into_iter().map(|month| (month, 1)));
    });
    months.map(|(register, (month, rise, restarts))| (register.site, month, rise, restarts))
}

fn day(milli_per_unit: i64, quarters: impl Iterator<Item = Quarter>) -> Day {
    let mut day: Option<Day> = None;
    for quarter in quarters {
        match &mut day {
            None => {
                day = Some(Day { opening: quarter.first, after_first: quarter.last, closing: quarter.last, rise: 0, restarts: 0 });
            }
            Some(day) => {
                let (rise, restarts) = step(milli_per_unit, day.closing, quarter.first, quarter.last);
                day.closing = quarter.last;
                day.rise += rise;
                day.restarts += restarts;
            }
        }
    }
    day.expect("a reduced key has rows")
}

fn months(milli_per_unit: i64, days: impl Iterator<Item = (NaiveDate, Day)>) -> Vec<(NaiveDate, i64, i64)> {
    let mut months: Vec<(NaiveDate, i64, i64)> = Vec::new();
    let mut before: Option<Real> = None;
    for (date, day) in days {
        // The first quarter ever counts from its own first reading.
        let (rise, restarts) = step(milli_per_unit, before.unwrap_or(day.opening), day.opening, day.after_first);
        before = Some(day.closing);
        let month = first_of_month(date);
        if months.last().is_none_or(|(last, _, _)| *last != month) {
            months.push((month, 0, 0));
        }
        let last = months.last_mut().expect("one was pushed");
        last.1 += rise + day.rise;
        last.2 += restarts + day.restarts;
    }
    months
}

/// The rise from the last reading before to the last reading of a quarter, and whether a new register began.
fn step(milli_per_unit: i64, before: Real, first: Real, last: Real) -> (i64, i64) {
    if last.0 >= before.0 {
        return (difference(milli_per_unit, before, last), 0);
    }
    (difference(milli_per_unit, first, last).max(0), 1)
}

/// Rounded before it is subtracted, so that rises add up to what the register rose.
fn difference(milli_per_unit: i64, from: Real, to: Real) -> i64 {
    let whole = |value: Real| (value.0 * milli_per_unit as f64).clamp(-1e18, 1e18).round() as i64;
    (whole(to) - whole(from)).clamp(-AMOUNT_MAX as i64, AMOUNT_MAX as i64)
}
