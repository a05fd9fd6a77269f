//! Decoded readings on their way to the worker that owns their points.

use dcmms_schemas::{reading::Quality, time::Moment};
use serde::{Deserialize, Serialize};

/// The low bits of a reading's flags are its quality's code.
pub const QUALITY: u8 = 0b011;
/// Set when the reading replaces what was said of its moment before.
pub const CORRECTION: u8 = 0b100;
/// Set when the reading has a sequence number.
pub const SEQUENCED: u8 = 0b1000;

/// Readings of one partition for one worker, in the order of their offsets, as parallel columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// The worker that owns these points: `point % peers`.
    pub worker: u32,
    pub source: u16,
    /// The first offset of the chunk they were decoded from; the receiver puts batches back in (source, order).
    pub order: i64,
    pub points: Vec<u32>,
    pub moments: Vec<Moment>,
    pub values: Vec<f64>,
    pub flags: Vec<u8>,
    /// As long as the others, or empty when no reading of the batch has a sequence number.
    pub seqs: Vec<u64>,
}

impl Columns {
    pub fn new(worker: u32, source: u16, order: i64) -> Columns {
        Columns { worker, source, order, ..Columns::default() }
    }

    /// With room for as many readings.
    pub fn with_capacity(worker: u32, source: u16, order: i64, readings: usize) -> Columns {
        Columns {
            points: Vec::with_capacity(readings),
            moments: Vec::with_capacity(readings),
            values: Vec::with_capacity(readings),
            flags: Vec::with_capacity(readings),
            ..Columns::new(worker, source, order)
        }
    }

    pub fn len(&self) -> usize {
        self.points.len()
    }

    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    #[inline]
    pub fn push(&mut self, point: u32, at: Moment, value: f64, flags: u8, seq: Option<u64>) {
        self.points.push(point);
        self.moments.push(at);
        self.values.push(value);
        match seq {
            None => {
                self.flags.push(flags);
                if !self.seqs.is_empty() {
                    self.seqs.push(0);
                }
            }
            Some(seq) => {
                self.flags.push(flags | SEQUENCED);
                self.seqs.resize(self.points.len() - 1, 0);
                self.seqs.push(seq);
            }
        }
    }

    #[inline]
    pub fn seq(&self, index: usize) -> Option<u64> {
        if self.flags[index] & SEQUENCED == 0 { None } else { Some(self.seqs[index]) }
    }
}

/// A reading's flags but for its sequence number.
pub const fn flags_of(quality: Quality, correction: bool) -> u8 {
    quality as u8 | if correction { CORRECTION } else { 0 }
}
