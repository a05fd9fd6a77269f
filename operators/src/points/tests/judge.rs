//! The second judge: what a list of readings comes to, from scratch, in plain loops.

use crate::{points::samples::Sample, testing::Told};
use chrono_tz::Tz;
use dcmms_schemas::{
    books::Books,
    id::PointNumber,
    outcome::{HistoryRow, Latest},
    plant::Point,
    reading::Quality,
    rollup::{Level, Rollup},
    time::{MILLISECOND, Moment},
};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) latest: BTreeMap<PointNumber, Latest>,
    pub(super) rollups: BTreeMap<(PointNumber, Level, Moment), Rollup>,
    pub(super) books: BTreeMap<u16, Books>,
    pub(super) history: Vec<String>,
}

/// The order in which a tick's readings are judged: by source, then offset.
pub(super) fn in_order(cuts: &[Vec<Told>]) -> Vec<Told> {
    let mut ordered = Vec::new();
    for cut in cuts {
        let mut cut = cut.clone();
        cut.sort_by_key(|told| told.source);
        ordered.extend(cut);
    }
    ordered
}

pub(super) fn judge(readings: &[Told], zone: Tz) -> Judged {
    let mut judged = Judged::default();
    let mut greatest: BTreeMap<PointNumber, Moment> = BTreeMap::new();
    // All that was said of a moment, each thing once, in the order of arrival.
    let mut moments: BTreeMap<(PointNumber, Moment), Vec<Sample>> = BTreeMap::new();
    for Told { source, reading } in readings {
        let number = PointNumber(reading.point[1..].parse().expect("a point of this test"));
        let books = judged.books.entry(*source).or_default();
        books.messages += 1;
        books.decoded += 1;
        books.readings += 1;
        let greatest = greatest.entry(number).or_insert(reading.at);
        let late = reading.at < greatest.minus(Point::HORIZON_MS_DEFAULT * MILLISECOND);
        let sample = Sample {
            at: reading.at,
            value: reading.value,
            quality: reading.quality,
            seq: reading.seq,
            correction: reading.correction,
            source: *source,
        };
        let same = |other: &Sample| Sample { source: 0, ..*other } == Sample { source: 0, ..sample };
        if late {
            books.late += 1;
        } else {
            *greatest = (*greatest).max(reading.at);
            let rivals = moments.entry((number, reading.at)).or_default();
            if rivals.iter().any(same) {
                books.duplicates += 1;
                continue;
            }
            rivals.push(sample);
        }
        let Sample { at, value, quality, seq, correction, .. } = sample;
        judged.history.push(format!("{:?}", HistoryRow { point: number, at, value, quality, seq, correction, late }));
    }
    judged.history.sort();
    count(&moments, zone, &mut judged);
    judged
}

fn count(moments: &BTreeMap<(PointNumber, Moment), Vec<Sample>>, zone: Tz, judged: &mut Judged) {
    let mut windows: BTreeMap<(PointNumber, Level, Moment), Vec<Sample>> = BTreeMap::new();
    for ((number, at), rivals) in moments {
        let winner = rivals.iter().max_by(|left, right| left.against(right)).expect("something was said");
        for rival in rivals {
            let books = judged.books.entry(rival.source).or_default();
            if std::ptr::eq(rival, winner) { books.accepted += 1 } else { books.superseded += 1 }
        }
        judged.latest.insert(*number, Latest { point: *number, at: *at, value: winner.value, quality: winner.quality });
        for level in Level::ALL {
            windows.entry((*number, level, level.window(*at, zone).0)).or_default().push(*winner);
        }
    }
    judged.rollups = windows.into_iter().map(|(key, samples)| (key, row(key, &samples))).collect();
}

fn row((point, level, start): (PointNumber, Level, Moment), samples: &[Sample]) -> Rollup {
    let quality = |quality| samples.iter().filter(|sample| sample.quality == quality).count() as u64;
    let counted: Vec<&Sample> = samples.iter().filter(|sample| sample.quality != Quality::Bad).collect();
    let n = counted.len() as f64;
    let mean = counted.iter().map(|sample| sample.value).sum::<f64>() / n;
    let variance = counted.iter().map(|sample| (sample.value - mean).powi(2)).sum::<f64>() / n;
    let (first, last) = (counted.first(), counted.last());
    Rollup {
        point,
        level,
        start,
        n: counted.len() as u64,
        n_uncertain: quality(Quality::Uncertain),
        n_bad: quality(Quality::Bad),
        min: if counted.is_empty() { 0.0 } else { counted.iter().map(|sample| sample.value).fold(f64::INFINITY, f64::min) },
        max: if counted.is_empty() { 0.0 } else { counted.iter().map(|sample| sample.value).fold(f64::NEG_INFINITY, f64::max) },
        mean: if counted.is_empty() { 0.0 } else { mean },
        stddev: if counted.is_empty() { 0.0 } else { variance.sqrt() },
        first: first.map_or(0.0, |sample| sample.value),
        first_at: first.map_or(start, |sample| sample.at),
        last: last.map_or(0.0, |sample| sample.value),
        last_at: last.map_or(start, |sample| sample.at),
    }
}
