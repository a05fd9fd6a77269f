//! What a point said, and what may be wrong with it.

use crate::{time::Moment, wire::Format};
use serde::{Deserialize, Serialize};

/// How far a value can be trusted, as its source says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Quality {
    #[default]
    Good = 0,
    /// Counts, and is counted apart.
    Uncertain = 1,
    /// Is counted apart and enters no figure.
    Bad = 2,
}

impl Quality {
    pub const fn from_code(code: u8) -> Quality {
        match code {
            0 => Quality::Good,
            1 => Quality::Uncertain,
            _ => Quality::Bad,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Uncertain => "uncertain",
            Quality::Bad => "bad",
        }
    }
}

/// One reading as sent, its point still a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub point: String,
    pub at: Moment,
    pub value: f64,
    pub quality: Quality,
    pub seq: Option<u64>,
    /// True when it replaces what was said of this moment before.
    pub correction: bool,
}

/// Which of two readings of one point and moment counts: the greatest (correction, seq, value), whatever
/// the order of arrival. A missing `seq` is less than any. Floats compare by `total_cmp`.
pub fn beats(new: (bool, Option<u64>, f64), old: (bool, Option<u64>, f64)) -> std::cmp::Ordering {
    new.0.cmp(&old.0).then(new.1.cmp(&old.1)).then(new.2.total_cmp(&old.2))
}

/// Why a message or a reading was refused. The name is what Postgres, metrics and files show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The bytes of a message are not what its format says; nothing in it was read.
    Unreadable,
    /// A field is missing or of the wrong kind.
    BadField,
    /// NaN or an infinity.
    NonFinite,
    /// Not a time, or before 1970.
    BadTime,
    /// Further ahead of the binding's clock than the job allows (default 60 s).
    Future,
    /// The value has no place at the point's resolution (beyond 2^53 steps).
    OutOfResolution,
    /// No such point (yet).
    UnknownPoint,
}

impl Reason {
    pub const ALL: [Reason; 7] = [
        Reason::Unreadable,
        Reason::BadField,
        Reason::NonFinite,
        Reason::BadTime,
        Reason::Future,
        Reason::OutOfResolution,
        Reason::UnknownPoint,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Reason::Unreadable => "unreadable",
            Reason::BadField => "bad_field",
            Reason::NonFinite => "non_finite",
            Reason::BadTime => "bad_time",
            Reason::Future => "future",
            Reason::OutOfResolution => "out_of_resolution",
            Reason::UnknownPoint => "unknown_point",
        }
    }
}

/// A message or reading that was refused: its reason, its place and its bytes. Nothing vanishes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    pub reason: Reason,
    /// What precisely was wrong, for a person.
    pub detail: String,
    pub source: u16,
    pub offset: i64,
    /// Which reading of the message, from 0; `None` when the whole message was refused.
    pub index: Option<u32>,
    /// The point it was for, where that could be read.
    pub point: Option<String>,
    /// What the bytes are: what the message was when all of it was refused, else JSON.
    pub format: Format,
    /// The reading (as JSON) or, when the whole message was refused, the message as sent.
    pub bytes: Vec<u8>,
}
