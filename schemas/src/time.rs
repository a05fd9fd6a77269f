//! Two clocks that are never confused: when it happened, and when we learned it.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// When it happened: UTC microseconds since the epoch, as fine as Postgres keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// When we learned it: minted once by the source; timely's timestamp.
pub type Tick = u64;

/// Microseconds in a millisecond, second, minute, hour and day.
pub const MILLISECOND: i64 = 1_000;
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

impl Moment {
    /// Before every moment that a reading can have.
    pub const MIN: Moment = Moment(i64::MIN);
    /// After every moment that a reading can have.
    pub const MAX: Moment = Moment(i64::MAX);

    pub const fn from_millis(ms: i64) -> Moment {
        Moment(ms * MILLISECOND)
    }

    pub const fn millis(self) -> i64 {
        self.0.div_euclid(MILLISECOND)
    }

    /// Saturates, so that `MIN` and `MAX` stay what they are.
    pub const fn plus(self, micros: i64) -> Moment {
        Moment(self.0.saturating_add(micros))
    }

    pub const fn minus(self, micros: i64) -> Moment {
        Moment(self.0.saturating_sub(micros))
    }

    /// The start of the UTC-aligned window of `width` microseconds that holds this moment.
    pub const fn floor(self, width: i64) -> Moment {
        Moment(self.0.div_euclid(width) * width)
    }

    /// The instant, or the nearest one chrono can say for moments beyond its range.
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0).single().unwrap_or(if self.0 < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC })
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Moment {
        Moment(at.timestamp_micros())
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
