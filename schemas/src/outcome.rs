//! Everything the dataflows say at a tick, table by table.

use crate::{
    alarm::Alarm,
    books::Books,
    command::Command,
    compliance::Figure,
    id::PointNumber,
    prediction::Prediction,
    reading::{Quality, Reject},
    rollup::Rollup,
    sla::Clock,
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// Adds (+1) or takes back (-1) a row.
pub type Diff = i64;

/// The newest accepted reading of a point: conflated, an upsert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latest {
    pub point: PointNumber,
    pub at: Moment,
    pub value: f64,
    pub quality: Quality,
}

/// A point's newest anomaly score: conflated, an upsert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub point: PointNumber,
    pub at: Moment,
    pub score: f64,
    pub value: f64,
    pub expected: f64,
}

/// The greatest score of a point's minute: an upsert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreMinute {
    pub point: PointNumber,
    pub minute: Moment,
    pub score: f64,
}

/// A reading whose score crossed the detector's limit upwards: a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub point: PointNumber,
    pub at: Moment,
    pub score: f64,
    pub value: f64,
    pub expected: f64,
}

/// More late readings of a point in one UTC hour, awaiting restatement: counts add up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Late {
    pub point: PointNumber,
    pub hour: Moment,
    pub readings: i64,
    pub first: Moment,
    pub last: Moment,
}

/// More readings of a point that is not known (yet): counts add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    pub key: String,
    pub readings: i64,
    pub first: Moment,
    pub last: Moment,
}

impl Unknown {
    /// Stands for all further keys of a tick that met more unknown ones than it may tell apart. No key is empty.
    pub const OTHERS: &str = "";
}

/// A reading for the history: everything but exact repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryRow {
    pub point: PointNumber,
    pub at: Moment,
    pub value: f64,
    pub quality: Quality,
    pub seq: Option<u64>,
    pub correction: bool,
    pub late: bool,
}

/// One worker's share of what is said at a tick, or the sum of several.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    // Upserts, at most one per key and tick.
    pub latest: Vec<Latest>,
    pub rollups: Vec<Rollup>,
    pub scores: Vec<Score>,
    pub score_minutes: Vec<ScoreMinute>,
    // Differences of whole rows.
    pub anomalies: Vec<(Anomaly, Diff)>,
    pub alarms: Vec<(Alarm, Diff)>,
    pub predictions: Vec<(Prediction, Diff)>,
    pub clocks: Vec<(Clock, Diff)>,
    pub figures: Vec<(Figure, Diff)>,
    // Counts that add up, per source partition or key.
    pub books: Vec<(u16, Books)>,
    pub late: Vec<Late>,
    pub unknown: Vec<Unknown>,
    // Written once.
    pub rejects: Vec<Reject>,
    pub commands: Vec<Command>,
    pub history: Vec<HistoryRow>,
}

impl Outcome {
    /// Takes over all that `other` says.
    pub fn append(&mut self, mut other: Outcome) {
        self.latest.append(&mut other.latest);
        self.rollups.append(&mut other.rollups);
        self.scores.append(&mut other.scores);
        self.score_minutes.append(&mut other.score_minutes);
        self.anomalies.append(&mut other.anomalies);
        self.alarms.append(&mut other.alarms);
        self.predictions.append(&mut other.predictions);
        self.clocks.append(&mut other.clocks);
        self.figures.append(&mut other.figures);
        self.books.append(&mut other.books);
        self.late.append(&mut other.late);
        self.unknown.append(&mut other.unknown);
        self.rejects.append(&mut other.rejects);
        self.commands.append(&mut other.commands);
        self.history.append(&mut other.history);
    }
}
