//! How many bytes a reading takes in the history: `cargo run --release --example history_size < readings.csv`, with lines
//! `point number,microseconds,value` in the order of arrival. Without input it makes up a plant: 2,000 points, a reading each 10 s.

use dcmms_schemas::{
    binding::{Binding, Source, SourcePartition},
    id::PointNumber,
    outcome::{HistoryRow, Outcome},
    reading::Quality,
    sealed::{Outlet, Part, Sealed},
    testing::TestDatabase,
    time::{Moment, SECOND, Tick},
};
use dcmms_sinks::{Options, checkpoints::Keeping, history::Limits, open};
use std::{
    io::{BufRead, IsTerminal},
    time::Duration,
};

/// Readings in one tick of 250 ms.
const TICK_ROWS: usize = 18_000;
const START: Moment = Moment(1_795_219_200_000_000);

#[tokio::main]
async fn main() {
    let rows = if std::io::stdin().is_terminal() { made_up(1_500_000) } else { read() };
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().expect("make a directory"));
    let source = Source { cluster: "c".to_owned(), topic: "t".to_owned(), topic_id: String::new() };
    let options = Options {
        pool: database.pool().clone(),
        root: root.path().to_owned(),
        job: "size".to_owned(),
        fingerprint: serde_json::json!({}),
        sources: vec![SourcePartition { source, partition: 0, domain: false }],
        accept_new_source: false,
        workers: 1,
        history: Limits::default(),
        checkpoints: Keeping { url: String::new(), keep: 2 },
    };
    let opened = open(options).await.expect("open the sink");
    let started = std::time::Instant::now();
    let mut tick: Tick = 0;
    for chunk in rows.chunks(TICK_ROWS) {
        tick += 1;
        let clock = START.plus(tick as i64 * SECOND / 4);
        opened.sink.bind(Binding { tick, generation: 1, clock, upto: vec![0], watermarks: vec![clock], idle: vec![false] });
        let changes = Outcome { history: chunk.to_vec(), ..Outcome::default() };
        opened.sink.part(Part { worker: 0, workers: 1, sealed: Sealed { from: tick, upto: tick, clock, changes } });
        while opened.sink.durable() + 16 < tick && !opened.task.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    opened.sink.stop();
    opened.task.await.expect("join the sink").expect("end the sink");
    let elapsed = started.elapsed();
    let sql = "select count(*), sum(rows)::bigint, sum(bytes)::bigint from derived.history_files";
    let (files, rows, bytes): (i64, i64, i64) = sqlx::query_as(sql).fetch_one(database.pool()).await.expect("sum up");
    let (each, rate) = (bytes as f64 / rows as f64, rows as f64 / elapsed.as_secs_f64());
    println!("{rows} readings in {files} files: {each:.2} bytes each, {rate:.0} readings/s");
}

fn read() -> Vec<HistoryRow> {
    let row = |line: std::io::Result<String>| {
        let line = line.expect("read a line");
        let mut fields = line.split(',');
        let mut field = || fields.next().expect("a line has three fields");
        let (point, at, value) = (field(), field(), field());
        let point = PointNumber(point.parse().expect("a point is a number"));
        reading(point, Moment(at.parse().expect("a moment is microseconds")), value.parse().expect("a value is a number"))
    };
    std::io::stdin().lock().lines().map(row).collect()
}

/// Values that wander at a resolution of 0.001, moments with some jitter.
fn made_up(count: usize) -> Vec<HistoryRow> {
    let (points, mut state, mut thousandths) = (2_000, 88_172_645_463_325_252_u64, vec![50_000_i64; 2_000]);
    let row = |index: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (point, round) = (index % points, (index / points) as i64);
        thousandths[point] += (state % 401) as i64 - 200;
        let at = START.plus(round * 10 * SECOND + (state >> 32) as i64 % 50 * 1000);
        reading(PointNumber(point as u32), at, thousandths[point] as f64 / 1000.0)
    };
    (0..count).map(row).collect()
}

fn reading(point: PointNumber, at: Moment, value: f64) -> HistoryRow {
    HistoryRow { point, at, value, quality: Quality::Good, seq: None, correction: false, late: false }
}
