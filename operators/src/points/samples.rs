//! The recent past of a point: the winners of every moment inside the correction horizon.

use crate::columns::{CORRECTION, QUALITY, SEQUENCED, flags_of};
use dcmms_schemas::{
    reading::{Quality, beats},
    time::Moment,
};
use std::{cmp::Ordering, collections::VecDeque};

/// One accepted reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub at: Moment,
    pub value: f64,
    pub quality: Quality,
    pub seq: Option<u64>,
    pub correction: bool,
    /// The partition it was heard on.
    pub source: u16,
}

impl Sample {
    /// Orders two readings of one moment: the greater one counts. Of two that differ in quality alone the worse counts,
    /// so that the order of arrival never decides.
    pub fn against(&self, other: &Sample) -> Ordering {
        beats((self.correction, self.seq, self.value), (other.correction, other.seq, other.value)).then(self.quality.cmp(&other.quality))
    }
}

/// A moment above four bits of flags, so that packed samples order by moment; moments stay below the year 10000.
#[derive(Clone, Copy, Debug)]
struct Packed {
    tag: i64,
    value: f64,
}

const FLAG_BITS: u32 = 6;

impl Packed {
    fn of(sample: &Sample) -> Packed {
        let flags = flags_of(sample.quality, sample.correction) | if sample.seq.is_some() { SEQUENCED } else { 0 };
        Packed { tag: sample.at.0 << FLAG_BITS | i64::from(flags), value: sample.value }
    }

    fn at(self) -> Moment {
        Moment(self.tag >> FLAG_BITS)
    }

    fn flags(self) -> u8 {
        (self.tag & ((1 << FLAG_BITS) - 1)) as u8
    }
}

/// A ring of samples in event order, at most one per moment. A sample costs 16 bytes; 8 more once a reading of the point
/// had a sequence number, and 2 more once it was heard on a second partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    ring: VecDeque<Packed>,
    /// As long as the ring, or absent.
    #[expect(clippy::box_collection, reason = "most points have none, and a box keeps every point's state small")]
    seqs: Option<Box<VecDeque<u64>>>,
    #[expect(clippy::box_collection, reason = "as above")]
    sources: Option<Box<VecDeque<u16>>>,
    /// The partition of all samples while there is only one.
    source: u16,
}

impl Samples {
    pub(crate) fn get(&self, index: usize) -> Sample {
        let packed = self.ring[index];
        let flags = packed.flags();
        Sample {
            at: packed.at(),
            value: packed.value,
            quality: Quality::from_code(flags & QUALITY),
            seq: self.seqs.as_ref().filter(|_| flags & SEQUENCED != 0).map(|seqs| seqs[index]),
            correction: flags & CORRECTION != 0,
            source: self.sources.as_ref().map_or(self.source, |sources| sources[index]),
        }
    }

    pub(crate) fn newest(&self) -> Option<Sample> {
        self.ring.len().checked_sub(1).map(|index| self.get(index))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> {
        (0..self.ring.len()).map(|index| self.get(index))
    }

    /// The samples of [from, upto).
    pub(crate) fn between(&self, from: Moment, upto: Moment) -> impl Iterator<Item = Sample> {
        let (from, upto) = (self.ring.partition_point(|packed| packed.at() < from), self.ring.partition_point(|packed| packed.at() < upto));
        (from..upto).map(|index| self.get(index))
    }

    /// Where the sample of this moment is, or where it would have to be.
    pub(crate) fn locate(&self, at: Moment) -> Result<usize, usize> {
        self.ring.binary_search_by(|packed| packed.at().cmp(&at))
    }

    /// Adds a sample newer than all others.
    #[inline]
    pub(crate) fn push(&mut self, sample: &Sample) {
        if sample.seq.is_none() && self.seqs.is_none() && (sample.source == self.source && self.sources.is_none()) {
            return self.ring.push_back(Packed::of(sample));
        }
        self.insert(self.ring.len(), sample);
    }

    pub(crate) fn insert(&mut self, index: usize, sample: &Sample) {
        self.widen(sample);
        self.ring.insert(index, Packed::of(sample));
        if let Some(seqs) = &mut self.seqs {
            seqs.insert(index, sample.seq.unwrap_or(0));
        }
        if let Some(sources) = &mut self.sources {
            sources.insert(index, sample.source);
        }
    }

    pub(crate) fn replace(&mut self, index: usize, sample: &Sample) {
        self.widen(sample);
        self.ring[index] = Packed::of(sample);
        if let Some(seqs) = &mut self.seqs {
            seqs[index] = sample.seq.unwrap_or(0);
        }
        if let Some(sources) = &mut self.sources {
            sources[index] = sample.source;
        }
    }

    /// Takes out the oldest sample if it is older than `until`.
    pub(crate) fn pop_before(&mut self, until: Moment) -> Option<Sample> {
        if self.ring.front()?.at() >= until {
            return None;
        }
        let oldest = self.get(0);
        self.ring.pop_front();
        if let Some(seqs) = &mut self.seqs {
            seqs.pop_front();
        }
        if let Some(sources) = &mut self.sources {
            sources.pop_front();
        }
        Some(oldest)
    }

    /// Makes room for what the first sample of its kind brings.
    fn widen(&mut self, sample: &Sample) {
        if sample.seq.is_some() && self.seqs.is_none() {
            self.seqs = Some(Box::new(std::iter::repeat_n(0, self.ring.len()).collect()));
        }
        if self.ring.is_empty() && self.sources.is_none() {
            self.source = sample.source;
        }
        if sample.source != self.source && self.sources.is_none() {
            self.sources = Some(Box::new(std::iter::repeat_n(self.source, self.ring.len()).collect()));
        }
    }
}
