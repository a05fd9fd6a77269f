//! What the tests of the sinks share: a sink on a database of its own, made-up histories, and a plain model of the tables.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its share")]

pub mod model;
pub mod story;

use dcmms_schemas::{
    binding::{Binding, Source, SourcePartition, Sources},
    sealed::{Outlet, Part, Sealed},
    testing::TestDatabase,
    time::Tick,
};
use dcmms_sinks::{Opened, Options, SinkError, checkpoints::Keeping, history::Limits, open};
use sqlx::{AssertSqlSafe, PgPool};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use story::Said;

/// How long a condition may take to come true on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

pub fn sources() -> Sources {
    let partition = |topic: &str, partition, domain| SourcePartition {
        source: Source { cluster: "c".to_owned(), topic: topic.to_owned(), topic_id: "t".to_owned() },
        partition,
        domain,
    };
    vec![partition("dcmms.telemetry", 0, false), partition("dcmms.telemetry", 1, false), partition("dcmms.domain", 0, true)]
}

pub fn options(database: &TestDatabase, root: &Path, workers: usize) -> Options {
    Options {
        pool: database.pool().clone(),
        root: root.to_owned(),
        job: "main".to_owned(),
        fingerprint: serde_json::json!({"graph": 1}),
        sources: sources(),
        accept_new_source: false,
        workers,
        history: Limits::default(),
        checkpoints: Keeping { url: String::new(), keep: 2 },
    }
}

pub async fn opened(database: &TestDatabase, root: &Path, workers: usize) -> Opened {
    open(options(database, root, workers)).await.unwrap()
}

pub fn binding(said: &Said, generation: u64) -> Binding {
    let at = said.clock.minus(5_000_000);
    let upto = said.tick as i64 * 10;
    Binding {
        tick: said.tick,
        generation,
        clock: said.clock,
        upto: vec![upto, upto, 0],
        watermarks: vec![at, at.plus(1), at],
        idle: vec![false; 3],
    }
}

/// Says a tick, one share per worker, the last worker first.
pub fn say(outlet: &dyn Outlet, said: &Said) {
    let workers = said.shares.len();
    for (worker, share) in said.shares.iter().enumerate().rev() {
        let sealed = Sealed { from: said.tick, upto: said.tick, clock: said.clock, changes: share.clone() };
        outlet.part(Part { worker, workers, sealed });
    }
}

pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub async fn until_durable(opened: &mut Opened, tick: Tick) {
    until("durable", || opened.sink.durable() >= tick || opened.task.is_finished()).await;
    if opened.sink.durable() != tick {
        panic!("the sink has ended: {:?}", (&mut opened.task).await);
    }
}

/// Binds and says all, waits until it is durable.
pub async fn tell(opened: &mut Opened, story: &[Said]) {
    let Some(last) = story.last() else { return };
    story.iter().for_each(|said| opened.sink.bind(binding(said, opened.generation)));
    until("bound", || opened.sink.bound() >= last.tick || opened.task.is_finished()).await;
    story.iter().for_each(|said| say(&opened.sink, said));
    until_durable(opened, last.tick).await;
}

/// Ends a sink as Ctrl-C does.
pub async fn stop(opened: Opened) -> Result<(), SinkError> {
    opened.sink.stop();
    opened.task.await.unwrap()
}

/// Ends a sink as `kill -9` does.
pub async fn kill(opened: Opened) {
    opened.task.abort();
    let _ = opened.task.await;
}

/// All derived rows, as text. Progress without what tells runs apart.
pub async fn dump(pool: &PgPool) -> Vec<String> {
    let tables = "latest rollups_1m rollups_15m rollups_1h rollups_1d scores scores_1m anomalies alarms predictions sla_clocks compliance \
        books rejects unknown_points pending_restatements commands";
    let mut rows = Vec::new();
    for table in tables.split_whitespace() {
        let sql = format!("select '{table} ' || t::text from derived.{table} t order by 1");
        rows.extend(sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap());
    }
    let progress = "select 'job ' || (job, durable_tick, durable_clock, watermark, rejects_file, rejects_bytes)::text from derived.jobs";
    rows.extend(sqlx::query_scalar::<_, String>(progress).fetch_all(pool).await.unwrap());
    rows
}

/// Compares without printing thousands of rows.
pub fn assert_same(found: &[String], expected: &[String]) {
    let first = found.iter().zip(expected).find(|(a, b)| a != b);
    assert!(first.is_none(), "they differ first in {first:?}");
    assert_eq!(found.len(), expected.len(), "{:?}", found.get(expected.len()).or(expected.get(found.len())));
}
