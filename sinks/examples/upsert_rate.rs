//! How many rows a second the sink upserts: `cargo run --release --example upsert_rate`, with `DATABASE_URL` for a server of
//! your own (the private one writes without fsync).

use dcmms_schemas::{
    binding::{Binding, Source, SourcePartition},
    id::PointNumber,
    outcome::{Latest, Outcome, Score},
    reading::Quality,
    rollup::{Level, Rollup},
    sealed::{Outlet, Part, Sealed},
    testing::TestDatabase,
    time::{MINUTE, Moment, SECOND, Tick},
};
use dcmms_sinks::{Opened, Options, checkpoints::Keeping, history::Limits, open};
use std::time::{Duration, Instant};

const POINTS: u32 = 20_000;
const START: Moment = Moment(1_795_219_200_000_000);

/// What one tick says.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    latest: bool,
    scores: bool,
    levels: &'static [Level],
    ticks: u64,
    /// Ticks that are told at once, so that they share transactions.
    burst: u64,
}

const LOADS: [Load; 5] = [
    Load { name: "20,000 latest, one tick at a time", latest: true, scores: false, levels: &[], ticks: 100, burst: 1 },
    Load { name: "20,000 latest + 20,000 scores", latest: true, scores: true, levels: &[], ticks: 50, burst: 1 },
    Load { name: "20,000 roll-ups of 1 m, new rows", latest: false, scores: false, levels: &[Level::Minute], ticks: 50, burst: 1 },
    Load { name: "all four levels, latest, scores", latest: true, scores: true, levels: &Level::ALL, ticks: 20, burst: 1 },
    Load { name: "the same, behind by 5 ticks", latest: true, scores: true, levels: &Level::ALL, ticks: 20, burst: 5 },
];

#[tokio::main]
async fn main() {
    let database = TestDatabase::create().await;
    let root = tempfile::tempdir().expect("make a directory");
    let source = Source { cluster: "c".to_owned(), topic: "t".to_owned(), topic_id: String::new() };
    let options = Options {
        pool: database.pool().clone(),
        root: root.path().to_owned(),
        job: "rate".to_owned(),
        fingerprint: serde_json::json!({}),
        sources: vec![SourcePartition { source, partition: 0, domain: false }],
        accept_new_source: false,
        workers: 1,
        history: Limits::default(),
        checkpoints: Keeping { url: String::new(), keep: 2 },
    };
    let opened = open(options).await.expect("open the sink");
    let mut tick = 0;
    for load in LOADS {
        run(&opened, load, &mut tick).await;
    }
    opened.sink.stop();
    opened.task.await.expect("join the sink").expect("end the sink");
}

async fn run(opened: &Opened, load: Load, tick: &mut Tick) {
    let mut times = Vec::new();
    let mut rows = 0;
    let started = Instant::now();
    for _ in 0..load.ticks / load.burst {
        let ticks: Vec<_> = (0..load.burst).map(|index| (*tick + 1 + index, outcome(load, *tick + 1 + index))).collect();
        *tick += load.burst;
        opened.sink.bind(binding(*tick, opened.generation));
        rows += ticks.iter().map(|(_, outcome)| outcome.latest.len() + outcome.scores.len() + outcome.rollups.len()).sum::<usize>();
        let told = Instant::now();
        for (tick, changes) in ticks {
            let sealed = Sealed { from: tick, upto: tick, clock: clock(tick), changes };
            opened.sink.part(Part { worker: 0, workers: 1, sealed });
        }
        while opened.sink.durable() < *tick {
            assert!(!opened.task.is_finished(), "the sink has ended");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        times.push(told.elapsed());
    }
    let elapsed = started.elapsed();
    times.sort();
    let (p50, p95) = (times[times.len() / 2], times[times.len() * 95 / 100]);
    println!("{:36} {:>9.0} rows/s   p50 {p50:>10.1?}  p95 {p95:>10.1?}", load.name, rows as f64 / elapsed.as_secs_f64());
}

fn clock(tick: Tick) -> Moment {
    START.plus(tick as i64 * SECOND)
}

fn binding(tick: Tick, generation: u64) -> Binding {
    Binding { tick, generation, clock: clock(tick), upto: vec![0], watermarks: vec![clock(tick)], idle: vec![false] }
}

fn outcome(load: Load, tick: Tick) -> Outcome {
    let at = clock(tick);
    let mut outcome = Outcome::default();
    for number in 0..POINTS {
        let (point, value) = (PointNumber(number), f64::from(number) + tick as f64);
        if load.latest {
            outcome.latest.push(Latest { point, at, value, quality: Quality::Good });
        }
        if load.scores {
            outcome.scores.push(Score { point, at, score: value, value, expected: value });
        }
        for level in load.levels {
            // Minutes are new each 12 ticks (one written each 5 s), coarser windows stay.
            let start = if *level == Level::Minute { START.plus((tick / 12) as i64 * MINUTE) } else { START.floor(24 * 60 * MINUTE) };
            outcome.rollups.push(rollup(point, *level, start, value, at));
        }
    }
    outcome
}

fn rollup(point: PointNumber, level: Level, start: Moment, value: f64, at: Moment) -> Rollup {
    let (min, max, mean, stddev, first, last) = (value, value, value, 0.0, value, value);
    Rollup { point, level, start, n: 1, n_uncertain: 0, n_bad: 0, min, max, mean, stddev, first, first_at: at, last, last_at: at }
}
