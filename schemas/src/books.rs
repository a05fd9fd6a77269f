//! The books of a partition: what came in equals what became of it.

use serde::{Deserialize, Serialize};

/// Counts of one partition, as totals or as differences. They balance at every durable tick:
/// `messages = decoded + unreadable` and
/// `readings = accepted + duplicates + superseded + late + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    pub messages: i64,
    pub decoded: i64,
    pub unreadable: i64,
    pub readings: i64,
    pub accepted: i64,
    pub duplicates: i64,
    /// Readings that lost to another of the same point and moment, on arrival or later.
    pub superseded: i64,
    /// Older than the correction horizon: in the history, and pending restatement.
    pub late: i64,
    pub rejected: i64,
}

impl Books {
    pub const fn balanced(&self) -> bool {
        self.messages == self.decoded + self.unreadable
            && self.readings == self.accepted + self.duplicates + self.superseded + self.late + self.rejected
    }

    pub fn add(&mut self, other: &Books) {
        self.messages += other.messages;
        self.decoded += other.decoded;
        self.unreadable += other.unreadable;
        self.readings += other.readings;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.superseded += other.superseded;
        self.late += other.late;
        self.rejected += other.rejected;
    }

    pub fn is_zero(&self) -> bool {
        *self == Books::default()
    }
}
