//! Plays the Numenta Anomaly Benchmark through our detector and prints what it finds: `nab <folder>`, the folder holding
//! `data/<group>/<file>.csv.gz` and `labels/combined_windows.json` of the benchmark's repository (not shipped with us).
//!
//! Scoring as in the benchmark's `sweeper.py`, with two differences that are against us: an anomaly is one row, not each
//! row above a threshold, and the limit is the one we ship, not the best one for these files.

use chrono::{NaiveDateTime, ParseError};
use dcmms_operators::{
    points::samples::Sample,
    scores::{Detector, ScoreChanges, Tuning},
};
use dcmms_schemas::{id::PointNumber, reading::Quality, time::Moment};
use flate2::read::GzDecoder;
use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, File},
    io::Read,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// A series with the rows (first, last) of its labelled windows.
struct Series {
    name: String,
    samples: Vec<Sample>,
    windows: Vec<(usize, usize)>,
}

/// What detections are worth: false positive, false negative; a window found is worth 1.
const PROFILES: [(&str, f64, f64); 3] = [("standard", 0.11, 1.0), ("low FP", 0.22, 1.0), ("low FN", 0.11, 2.0)];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("say where the benchmark is: nab <folder with data/ and labels/>")?;
    let series = read(Path::new(&folder))?;
    for season in [false, true] {
        report(&series, &Tuning { season, ..Tuning::STANDARD });
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Series>, Box<dyn Error>> {
    let labels = fs::read_to_string(folder.join("labels/combined_windows.json"))?;
    let labels: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&labels)?;
    labels.into_iter().map(|(name, windows)| series(folder, name, &windows)).collect()
}

fn series(folder: &Path, name: String, windows: &[(String, String)]) -> Result<Series, Box<dyn Error>> {
    let mut text = String::new();
    GzDecoder::new(File::open(folder.join("data").join(format!("{name}.gz")))?).read_to_string(&mut text)?;
    let mut samples = Vec::new();
    for line in text.lines().skip(1) {
        let (at, value) = line.split_once(',').ok_or("a row is a time, a comma and a value")?;
        let value = value.parse()?;
        samples.push(Sample { at: moment(at)?, value, quality: Quality::Good, seq: None, correction: false, source: 0 });
    }
    // A repeated moment is the last reading's, as it is in the engine.
    samples.sort_by_key(|sample| sample.at);
    samples.dedup_by(|later, kept| later.at == kept.at && std::mem::replace(kept, *later).at == later.at);
    let row = |at: Moment| samples.partition_point(|sample| sample.at < at).min(samples.len() - 1);
    let windows = windows.iter().map(|(from, to)| Ok((row(moment(from)?), row(moment(to)?)))).collect::<Result<_, ParseError>>()?;
    Ok(Series { name, samples, windows })
}

fn moment(text: &str) -> Result<Moment, ParseError> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc().into())
}

/// The rows of a series that are anomalies.
fn detect(series: &Series, tuning: &Arc<Tuning>) -> (Vec<usize>, Duration) {
    let mut detector = Detector::new(PointNumber(0), Arc::clone(tuning));
    let mut changes = ScoreChanges::default();
    let began = Instant::now();
    for sample in &series.samples {
        detector.append(sample, &mut changes);
    }
    let took = began.elapsed();
    let row = |at: Moment| series.samples.partition_point(|sample| sample.at < at);
    (changes.anomalies.iter().map(|(anomaly, _)| row(anomaly.at)).collect(), took)
}

fn report(series: &[Series], tuning: &Tuning) {
    println!("season {}, limit {}", if tuning.season { "on" } else { "off" }, tuning.limit);
    let tuning = Arc::new(tuning.clone());
    let (mut scores, mut found, mut windows, mut wrong) = ([0.0; 3], 0, 0, 0);
    let (mut rows, mut took) = (0, Duration::ZERO);
    for series in series {
        let (anomalies, time) = detect(series, &tuning);
        let judged = Judged::of(series, &anomalies);
        for (score, (_, fp, fn_)) in scores.iter_mut().zip(PROFILES) {
            *score += judged.hits + fp * judged.misfires - fn_ * judged.missed as f64;
        }
        println!("  {:55} windows {}/{}  outside {}", series.name, judged.found, series.windows.len(), judged.wrong);
        (found, windows, wrong) = (found + judged.found, windows + series.windows.len(), wrong + judged.wrong);
        (rows, took) = (rows + series.samples.len(), took + time);
    }
    println!("  recall {found}/{windows} windows, precision {:.2} ({wrong} outside)", found as f64 / (found + wrong).max(1) as f64);
    for (score, (name, _, fn_)) in scores.iter().zip(PROFILES) {
        let null = -fn_ * windows as f64;
        println!("  NAB {name}: {:.1}", 100.0 * (score - null) / (windows as f64 - null));
    }
    println!("  {:.0} ns per reading over {rows} readings", took.as_nanos() as f64 / rows as f64);
}

/// The benchmark's terms, before the profile's weights.
#[derive(Default)]
struct Judged {
    hits: f64,
    misfires: f64,
    found: usize,
    missed: usize,
    wrong: usize,
}

impl Judged {
    fn of(series: &Series, anomalies: &[usize]) -> Judged {
        let probation = (series.samples.len() * 15 / 100).min(750);
        let mut judged = Judged::default();
        let mut hit = vec![false; series.windows.len()];
        for row in anomalies.iter().copied().filter(|row| *row >= probation) {
            match series.windows.iter().position(|(first, last)| (*first..=*last).contains(&row)) {
                Some(window) if hit[window] => {}
                Some(window) => {
                    hit[window] = true;
                    let (first, last) = series.windows[window];
                    judged.hits += worth(-((last + 1 - row) as f64) / (last + 1 - first) as f64) / worth(-1.0);
                    judged.found += 1;
                }
                None => {
                    let before = series.windows.iter().rev().find(|(_, last)| *last < row);
                    judged.misfires += before.map_or(-1.0, |(first, last)| worth((row - last) as f64 / (last - first) as f64));
                    judged.wrong += 1;
                }
            }
        }
        judged.missed = series.windows.len() - judged.found;
        judged
    }
}

/// What a detection is worth at a place relative to a window's right edge, in window widths.
fn worth(place: f64) -> f64 {
    if place > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * place).exp()) - 1.0 }
}
