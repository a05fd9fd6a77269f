//! The recent past of a point: the winners of every moment inside the correction horizon.

use crate::columns::{CORRECTION, QUALITY, SEQUENCED, flags_of};
use dcmms_schemas::{
    reading::{Quality, beats},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::VecDeque};

/// One accepted reading.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

    #[inline]
    fn sample(self, seq: Option<u64>, source: u16) -> Sample {
        let flags = self.flags();
        Sample {
            at: self.at(),
            value: self.value,
            quality: Quality::from_code(flags & QUALITY),
            seq,
            correction: flags & CORRECTION != 0,
            source,
        }
    }
}

/// Samples in a checkpoint: those before `oldest` have left, `newest` came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptSamples {
    oldest: Moment,
    newest: Vec<Sample>,
}

impl KeptSamples {
    /// Appends 18 bytes per sample, 8 more where it has a sequence number.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.oldest.0.to_le_bytes());
        bytes.reserve(18 * self.newest.len());
        for sample in &self.newest {
            let packed = Packed::of(sample);
            bytes.extend_from_slice(&packed.tag.to_le_bytes());
            bytes.extend_from_slice(&packed.value.to_bits().to_le_bytes());
            bytes.extend_from_slice(&sample.source.to_le_bytes());
            if let Some(seq) = sample.seq {
                bytes.extend_from_slice(&seq.to_le_bytes());
            }
        }
    }

    /// Reads what [`KeptSamples::write`] wrote, to the end; `None` where it did not.
    pub(super) fn read(bytes: &[u8]) -> Option<KeptSamples> {
        let (oldest, mut rest) = bytes.split_first_chunk::<8>()?;
        let mut newest = Vec::with_capacity(rest.len() / 18);
        while !rest.is_empty() {
            let (tag, after) = rest.split_first_chunk::<8>()?;
            let (value, after) = after.split_first_chunk::<8>()?;
            let (source, mut after) = after.split_first_chunk::<2>()?;
            let packed = Packed { tag: i64::from_le_bytes(*tag), value: f64::from_bits(u64::from_le_bytes(*value)) };
            let mut seq = None;
            if packed.flags() & SEQUENCED != 0 {
                let (bytes, behind) = after.split_first_chunk::<8>()?;
                (seq, after) = (Some(u64::from_le_bytes(*bytes)), behind);
            }
            newest.push(packed.sample(seq, u16::from_le_bytes(*source)));
            rest = after;
        }
        Some(KeptSamples { oldest: Moment(i64::from_le_bytes(*oldest)), newest })
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
    /// The newest samples that the last cut does not have; [`Samples::TORN`] when it has others as well.
    fresh: u32,
}

impl Samples {
    const TORN: u32 = u32::MAX;

    pub(crate) fn get(&self, index: usize) -> Sample {
        let packed = self.ring[index];
        let seq = self.seqs.as_ref().filter(|_| packed.flags() & SEQUENCED != 0).map(|seqs| seqs[index]);
        packed.sample(seq, self.sources.as_ref().map_or(self.source, |sources| sources[index]))
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
            self.fresh = self.fresh.saturating_add(1);
            return self.ring.push_back(Packed::of(sample));
        }
        self.insert(self.ring.len(), sample);
    }

    pub(crate) fn insert(&mut self, index: usize, sample: &Sample) {
        self.fresh = if index + self.kept_after() >= self.ring.len() { self.fresh.saturating_add(1) } else { Samples::TORN };
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
        if index + self.kept_after() < self.ring.len() {
            self.fresh = Samples::TORN;
        }
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

    /// How many of the newest samples the last cut does not have.
    fn kept_after(&self) -> usize {
        (self.fresh as usize).min(self.ring.len())
    }

    /// What a cut must have of the samples: all, or those that came since the last one. From then on it has them.
    pub(super) fn keep(&mut self, all: bool) -> KeptSamples {
        let all = all || self.fresh == Samples::TORN;
        let from = if all { 0 } else { self.ring.len() - self.kept_after() };
        self.fresh = 0;
        let oldest = if all { Moment::MAX } else { self.ring.front().map_or(Moment::MAX, |packed| packed.at()) };
        KeptSamples { oldest, newest: (from..self.ring.len()).map(|index| self.get(index)).collect() }
    }

    /// Takes over what cuts had, one after the other.
    pub(super) fn restore(kept: impl Iterator<Item = KeptSamples>) -> Samples {
        let mut all: Vec<Sample> = Vec::new();
        for kept in kept {
            all.drain(..all.partition_point(|sample| sample.at < kept.oldest));
            all.extend(kept.newest);
        }
        let mut samples = Samples::default();
        all.iter().for_each(|sample| samples.push(sample));
        samples.fresh = 0;
        samples
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
