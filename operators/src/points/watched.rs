//! Roll-up rows as differential sees them.

use crate::real::Real;
use dcmms_schemas::{
    id::PointNumber,
    rollup::{Level, Rollup},
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// Which rows of a point differential is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub quarter: bool,
    pub hour: bool,
}

impl Watched {
    pub(crate) fn covers(self, level: Level) -> bool {
        match level {
            Level::Quarter => self.quarter,
            Level::Hour => self.hour,
            Level::Minute | Level::Day => false,
        }
    }
}

/// A [`Rollup`] of a watched point, in a form that can be sorted, hashed and taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WatchedRollup {
    pub point: PointNumber,
    pub level: Level,
    pub start: Moment,
    pub n: u64,
    pub n_uncertain: u64,
    pub n_bad: u64,
    /// What follows is meaningless when `n` is 0.
    pub min: Real,
    pub max: Real,
    pub mean: Real,
    pub stddev: Real,
    pub first: Real,
    pub first_at: Moment,
    pub last: Real,
    pub last_at: Moment,
}

impl From<Rollup> for WatchedRollup {
    fn from(row: Rollup) -> WatchedRollup {
        WatchedRollup {
            point: row.point,
            level: row.level,
            start: row.start,
            n: row.n,
            n_uncertain: row.n_uncertain,
            n_bad: row.n_bad,
            min: Real(row.min),
            max: Real(row.max),
            mean: Real(row.mean),
            stddev: Real(row.stddev),
            first: Real(row.first),
            first_at: row.first_at,
            last: Real(row.last),
            last_at: row.last_at,
        }
    }
}
