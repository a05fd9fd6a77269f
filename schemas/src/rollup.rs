//! Windows of a point's readings.

use crate::{
    id::PointNumber,
    time::{HOUR, MINUTE, Moment},
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// How wide a window is. Minutes and quarters are UTC; hours and days are the site's own, built from quarters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Minute,
    Quarter,
    Hour,
    Day,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Minute, Level::Quarter, Level::Hour, Level::Day];

    /// As the API, Postgres and metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Minute => "1m",
            Level::Quarter => "15m",
            Level::Hour => "1h",
            Level::Day => "1d",
        }
    }

    /// The window that holds `at`, as [start, end). Days have 23 or 25 hours where the zone says so.
    pub fn window(self, at: Moment, zone: Tz) -> (Moment, Moment) {
        match self {
            Level::Minute => fixed(at, MINUTE),
            Level::Quarter => fixed(at, 15 * MINUTE),
            Level::Hour => local_hour(at, zone),
            Level::Day => local_day(at, zone),
        }
    }
}

fn fixed(at: Moment, width: i64) -> (Moment, Moment) {
    let start = at.floor(width);
    (start, start.plus(width))
}

/// An hour of the site's wall clock. Offsets are whole quarters, so an hour is four quarters even where the
/// clock is put forward or back (by an hour; Lord Howe's half hour makes one hour of two or six quarters).
fn local_hour(at: Moment, zone: Tz) -> (Moment, Moment) {
    use chrono::Offset;
    use chrono::TimeZone;
    let offset = zone.offset_from_utc_datetime(&at.utc().naive_utc()).fix().local_minus_utc() as i64 * crate::time::SECOND;
    let start = Moment((at.0 + offset).div_euclid(HOUR) * HOUR - offset);
    (start, start.plus(HOUR))
}

fn local_day(at: Moment, zone: Tz) -> (Moment, Moment) {
    let date = at.utc().with_timezone(&zone).date_naive();
    let next = date.succ_opt().unwrap_or(date);
    (midnight(date, zone), midnight(next, zone))
}

/// The first instant of a local date: midnight, or the end of the gap where midnight is skipped.
pub fn midnight(date: chrono::NaiveDate, zone: Tz) -> Moment {
    use chrono::{Duration, LocalResult, NaiveTime, TimeZone};
    let mut local = date.and_time(NaiveTime::MIN);
    for _ in 0..=8 {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return Moment::from(at.with_timezone(&chrono::Utc)),
            LocalResult::None => local += Duration::minutes(15),
        }
    }
    Moment::from(chrono::Utc.from_utc_datetime(&local))
}

/// One window of one point. `n` counts good and uncertain readings; bad ones are counted and enter no figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rollup {
    pub point: PointNumber,
    pub level: Level,
    pub start: Moment,
    pub n: u64,
    pub n_uncertain: u64,
    pub n_bad: u64,
    /// What follows is meaningless when `n` is 0 and is then written as null.
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// The population's.
    pub stddev: f64,
    pub first: f64,
    pub first_at: Moment,
    pub last: f64,
    pub last_at: Moment,
}
