//! The readings, the same for the same number of them: in memory, so that no disk is measured.

use dcmms_operators::chunk::{Chunk, Format};
use dcmms_schemas::time::Moment;

pub(crate) const POINTS: u32 = 20_000;
/// Milliseconds since the epoch of the first reading.
pub(crate) const START_MS: i64 = 1_700_000_000_000;
/// At most so many readings are learnt of at one tick.
const TICK_READINGS_MAX: usize = 100_000;

/// The readings of one tick: those of even points on partition 0, those of odd points on partition 1, as a source with two
/// partitions has them.
pub(crate) struct Tick {
    pub(crate) chunks: [Chunk; 2],
    /// The greatest moment so far.
    pub(crate) clock: Moment,
}

pub(crate) struct Input {
    pub(crate) ticks: Vec<Tick>,
}

impl Input {
    pub(crate) fn bytes(&self) -> usize {
        self.ticks.iter().flat_map(|tick| &tick.chunks).map(|chunk| chunk.bytes.len()).sum()
    }
}

/// As telemetry names a point.
pub(crate) fn key(point: u32) -> String {
    let signal = ["ac_power", "dc_power", "temp", "freq"][point as usize % 4];
    format!("site-{:02}/inv-{:04}/{signal}", point / 1_000, point / 4 % 250)
}

/// 7,143 readings per second of event time, each of a point at random; 1 % up to 5 s out of order, 0.1 % said again, and
/// now and then a spike.
pub(crate) fn generate(readings: usize) -> Input {
    let mut random = Random(0x5eed);
    let keys: Vec<String> = (0..POINTS).map(key).collect();
    let bases: Vec<f64> = (0..POINTS).map(|_| 10.0 + 990.0 * random.unit()).collect();
    let mut recent: Vec<(u32, String)> = Vec::with_capacity(1_000);
    let (mut ticks, mut offsets, mut greatest) = (Vec::new(), [0i64; 2], START_MS);
    let mut line = 0;
    while line < readings {
        let upto = readings.min(line + TICK_READINGS_MAX);
        let mut chunks = [Chunk::new(0), Chunk::new(1)];
        while line < upto {
            let (point, text) = if recent.len() == 1_000 && random.unit() < 0.001 {
                recent[random.below(1_000) as usize].clone()
            } else {
                let point = random.below(u64::from(POINTS)) as u32;
                let back = if random.unit() < 0.01 { 1 + random.below(5_000) as i64 } else { 0 };
                let ts = START_MS + (line as f64 * 0.14) as i64;
                greatest = greatest.max(ts);
                let spike = if random.unit() < 0.000_097 { 12.0 } else { 0.0 };
                let value = bases[point as usize] * (1.0 + 0.02 * (random.normal() + spike));
                let (key, ts) = (&keys[point as usize], ts - back);
                (point, format!("{{\"point\":\"{key}\",\"ts\":{ts},\"value\":{value:.3},\"quality\":\"good\"}}"))
            };
            let part = point as usize & 1;
            chunks[part].push(offsets[part], Format::Json, text.as_bytes());
            offsets[part] += 1;
            if recent.len() < 1_000 {
                recent.push((point, text))
            } else {
                recent[line % 1_000] = (point, text)
            }
            line += 1;
        }
        ticks.push(Tick { chunks, clock: Moment::from_millis(greatest) });
    }
    Input { ticks }
}

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}
