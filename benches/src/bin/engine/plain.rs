//! What one would write by hand for this job alone: parse, look up, add up, and write a window out when it has closed.

use super::{
    answer::{Row, Rows},
    input::Input,
};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Line<'a> {
    point: &'a str,
    ts: i64,
    value: f64,
    #[serde(rename = "quality")]
    _quality: &'a str,
}

#[derive(Clone, Copy)]
struct Window {
    start: i64,
    n: u64,
    min: f64,
    max: f64,
    /// Sums of the distances from the first value, so that squares do not drown it.
    base: f64,
    sum: f64,
    squares: f64,
}

const MINUTE_MS: i64 = 60_000;
const DISORDER_MS: i64 = 10_000;

/// Splits the input by partition over so many threads; a thread with two partitions takes them in turns by tick.
pub(crate) fn run(input: &Input, threads: usize) -> Rows {
    let parts: Vec<Vec<(String, i64, Row)>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(input, thread, threads))).collect();
        running.into_iter().map(|thread| thread.join().expect("the loop does not panic")).collect()
    });
    let numbers: BTreeMap<String, u32> = (0..super::input::POINTS).map(|point| (super::input::key(point), point)).collect();
    parts.into_iter().flatten().map(|(key, start, row)| ((numbers[&key], start), row)).collect()
}

fn part(input: &Input, thread: usize, threads: usize) -> Vec<(String, i64, Row)> {
    let mut points: FxHashMap<String, Vec<Window>> = FxHashMap::default();
    let mut rows = Vec::new();
    // A thread with two partitions reads one ahead of the other: the slower one says how far time has come.
    let mut greatest = vec![i64::MIN; 2 / threads];
    let mut closed = i64::MIN;
    for chunk in input.ticks.iter().flat_map(|tick| &tick.chunks).filter(|chunk| usize::from(chunk.source) % threads == thread) {
        let partition = usize::from(chunk.source) / threads;
        for message in chunk.iter() {
            let line: Line<'_> = serde_json::from_slice(message.bytes).expect("the input is good");
            greatest[partition] = greatest[partition].max(line.ts);
            let start = line.ts.div_euclid(MINUTE_MS) * MINUTE_MS;
            let windows = match points.get_mut(line.point) {
                Some(windows) => windows,
                None => points.entry(line.point.to_owned()).or_default(),
            };
            match windows.iter_mut().rev().find(|window| window.start == start) {
                Some(window) => window.add(line.value),
                None => windows.push(Window::of(start, line.value)),
            }
            let slowest = greatest.iter().copied().min().unwrap_or(i64::MIN);
            let through = slowest.saturating_sub(DISORDER_MS).div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS);
            if through > closed {
                closed = through;
                close(&mut points, closed, &mut rows);
            }
        }
    }
    close(&mut points, i64::MAX, &mut rows);
    rows
}

fn close(points: &mut FxHashMap<String, Vec<Window>>, through: i64, rows: &mut Vec<(String, i64, Row)>) {
    for (key, windows) in points {
        windows.retain(|window| {
            let ends = window.start.saturating_add(MINUTE_MS) <= through;
            if ends {
                rows.push((key.clone(), window.start, window.row()));
            }
            !ends
        });
    }
}

impl Window {
    fn of(start: i64, value: f64) -> Window {
        Window { start, n: 1, min: value, max: value, base: value, sum: 0.0, squares: 0.0 }
    }

    fn add(&mut self, value: f64) {
        let distance = value - self.base;
        self.n += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += distance;
        self.squares += distance * distance;
    }

    fn row(&self) -> Row {
        let n = self.n as f64;
        let mean = self.sum / n;
        let variance = (self.squares / n - mean * mean).max(0.0);
        Row { n: self.n, min: self.min, max: self.max, mean: self.base + mean, stddev: variance.sqrt() }
    }
}
