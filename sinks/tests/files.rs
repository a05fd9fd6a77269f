//! What is in files is there exactly once too.

mod support;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use dcmms_schemas::{
    rejected::Line,
    sealed::Outlet,
    testing::TestDatabase,
    time::{MINUTE, Tick},
};
use dcmms_sinks::{Opened, history::Limits, open};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;
use support::{
    kill, options, say, stop,
    story::{Said, story},
    tell,
};

/// point, at, value bits, seq, late, tick
type Reading = (i32, i64, u64, Option<i64>, bool, i64);

fn told(story: &[Said]) -> Vec<Reading> {
    let rows = |said: &Said| -> Vec<Reading> {
        let rows = said.shares.iter().flat_map(|share| &share.history);
        rows.map(|r| (r.point.0 as i32, r.at.0, r.value.to_bits(), r.seq.map(|seq| seq as i64), r.late, said.tick as i64)).collect()
    };
    let mut all: Vec<Reading> = story.iter().flat_map(rows).collect();
    all.sort();
    all
}

/// The readings of all files in the manifest; each file must hold one day, sorted.
async fn stored(database: &TestDatabase, root: &Path) -> Vec<Reading> {
    let manifest: Vec<(String, i64, i64, String)> =
        sqlx::query_as("select path, rows, bytes, day::text from derived.history_files order by path")
            .fetch_all(database.pool())
            .await
            .unwrap();
    let mut all = Vec::new();
    for (path, rows, bytes, day) in manifest {
        let file = std::fs::File::open(root.join("history").join(&path)).unwrap();
        assert_eq!(file.metadata().unwrap().len() as i64, bytes);
        assert!(path.starts_with(&format!("day={day}/main-0-")), "{path}");
        let mut found = Vec::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let (point, at) = (batch.column(0).as_primitive::<Int32Type>(), batch.column(1).as_primitive::<TimestampMicrosecondType>());
            let (value, seq) = (batch.column(2).as_primitive::<Float64Type>(), batch.column(4).as_primitive::<Int64Type>());
            let (late, tick) = (batch.column(6).as_boolean(), batch.column(7).as_primitive::<Int64Type>());
            found.extend((0..batch.num_rows()).map(|row| {
                let seq = (!seq.is_null(row)).then(|| seq.value(row));
                (point.value(row), at.value(row), value.value(row).to_bits(), seq, late.value(row), tick.value(row))
            }));
        }
        assert_eq!(found.len() as i64, rows);
        assert!(found.iter().map(|row| (row.0, row.1)).is_sorted(), "{path}");
        all.extend(found);
    }
    all.sort();
    all
}

async fn opened(database: &TestDatabase, root: &Path, age_micros: i64) -> Opened {
    open(dcmms_sinks::Options { history: Limits { age_micros, ..Limits::default() }, ..options(database, root, 2) }).await.unwrap()
}

async fn history_tick(database: &TestDatabase) -> (Tick, Tick) {
    let sql = "select history_tick, durable_tick from derived.jobs";
    let (history, durable): (i64, i64) = sqlx::query_as(sql).fetch_one(database.pool()).await.unwrap();
    (history as Tick, durable as Tick)
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_are_stored_once_however_often_it_is_killed() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(3, 90, 2);
    // Ticks are minutes apart; some runs seal often, one not at all before it is killed.
    for (run, age) in [30 * MINUTE, i64::MAX, 200 * MINUTE].into_iter().enumerate() {
        let mut sink = opened(&database, root.path(), age).await;
        story[..run * 30].iter().for_each(|said| say(&sink.sink, said));
        tell(&mut sink, &story[run * 30..(run + 1) * 30]).await;
        let (history, durable) = history_tick(&database).await;
        assert!(history < durable && durable == sink.sink.durable());
        if run == 0 {
            assert!(history > 0, "nothing was sealed before the first kill");
        }
        if run < 2 { kill(sink).await } else { stop(sink).await.unwrap() }
    }
    assert_eq!(history_tick(&database).await, (90, 90));
    assert_eq!(stored(&database, root.path()).await, told(&story));
    let mut found = 0;
    for day in std::fs::read_dir(root.path().join("history")).unwrap() {
        found += std::fs::read_dir(day.unwrap().path()).unwrap().count() as i64;
    }
    let files: i64 = sqlx::query_scalar("select count(*) from derived.history_files").fetch_one(database.pool()).await.unwrap();
    assert_eq!(found, files, "an orphan is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_bytes_are_on_file_once() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(5, 40, 2);
    let mut sink = opened(&database, root.path(), i64::MAX).await;
    tell(&mut sink, &story[..20]).await;
    kill(sink).await;
    // A transaction that did not land leaves bytes behind.
    let path = root.path().join("rejects/main.0.ndjson");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"half\":");
    std::fs::write(&path, bytes).unwrap();
    let mut sink = opened(&database, root.path(), i64::MAX).await;
    story[..20].iter().for_each(|said| say(&sink.sink, said));
    tell(&mut sink, &story[20..]).await;

    let text = std::fs::read_to_string(&path).unwrap();
    let found: Vec<(Tick, u16, i64)> =
        text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()).map(|line| (line.tick, line.source, line.offset)).collect();
    let mut expected: Vec<(Tick, u16, i64)> = Vec::new();
    for said in &story {
        expected.extend(said.shares.iter().flat_map(|share| &share.rejects).map(|reject| (said.tick, reject.source, reject.offset)));
    }
    expected.sort();
    assert_eq!(found, expected);
    let (n, file): (i64, String) =
        sqlx::query_as("select sum(n)::bigint, max(file) from derived.rejects").fetch_one(database.pool()).await.unwrap();
    assert_eq!((n as usize, file.as_str()), (expected.len(), "rejects/main.0.ndjson"));
}
