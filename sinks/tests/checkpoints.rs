//! Which checkpoint a start goes on from, and what is kept.

mod support;

use dcmms_schemas::{
    checkpoint::{Block, Cut, KeptPart},
    sealed::Outlet,
    testing::TestDatabase,
    time::Tick,
};
use dcmms_sinks::{Opened, SinkError, open};
use std::path::Path;
use support::{kill, opened, options, stop, story::story, tell, until};

/// What two workers keep at a tick: the tick itself, in two shards.
fn keep(opened: &Opened, tick: Tick, turn: u64) {
    for worker in 0..2 {
        let block = |shard| Block {
            operator: "points".to_owned(),
            shard,
            whole: Cut { tick, turn, at_once: false }.has_whole(shard),
            bytes: vec![tick as u8, worker as u8],
        };
        opened.sink.kept(KeptPart { cut: Cut { tick, turn, at_once: false }, worker, workers: 2, blocks: vec![block(0), block(1)] });
    }
}

/// Keeps the given ticks one after the other; each is complete when a later tick has landed.
async fn run(opened: &mut Opened, cuts: &[Tick], upto: Tick) {
    let story = story(5, 40, 2);
    let from = opened.sink.durable();
    for said in story.iter().filter(|said| said.tick > from && said.tick <= upto) {
        if let Some(before) = cuts.iter().rfind(|cut| **cut < said.tick) {
            let (sink, before) = (&opened.sink, *before);
            // What it waits for may need this very tick.
            let _ = tokio::time::timeout(std::time::Duration::from_millis(20), until("", || sink.checkpointed() >= before)).await;
        }
        tell(opened, std::slice::from_ref(said)).await;
        if let Some(turn) = cuts.iter().position(|cut| *cut == said.tick) {
            keep(opened, said.tick, turn as u64);
        }
    }
}

fn files(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("checkpoints/main")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn found(opened: &Opened) -> Option<(Tick, u64, Vec<u8>)> {
    let checkpoint = opened.checkpoint.as_ref()?;
    let blocks = &checkpoint.shards.0[&("points".to_owned(), 1)];
    Some((checkpoint.binding.tick, checkpoint.turn, blocks.concat()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_goes_on_from_the_newest_complete_checkpoint() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 2).await;
    assert!(sink.checkpoint.is_none());
    run(&mut sink, &[3, 6, 9], 12).await;
    stop(sink).await.unwrap();
    let sink = opened(&database, root.path(), 3).await;
    // Shard 1 is whole at turns 0 and 1, and changed at turn 2.
    assert_eq!(found(&sink), Some((9, 2, vec![6, 0, 6, 1, 9, 0, 9, 1])));
    assert_eq!((sink.sink.checkpointed(), sink.durable), (9, 12));
    let history: i64 = sqlx::query_scalar("select history_tick from derived.jobs").fetch_one(database.pool()).await.unwrap();
    assert_eq!(history, 12);
    let recorded: i64 = sqlx::query_scalar("select (binding->>'tick')::bigint from derived.checkpoints where tick = 9")
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(recorded, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_complete_only_when_history_and_tables_are_past_it() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 2).await;
    run(&mut sink, &[3], 5).await;
    // Tick 6 was bound and kept, but nothing was said of it: a half that must not count.
    let said = &story(5, 40, 2)[5];
    sink.sink.bind(support::binding(said, sink.generation));
    until("bound", || sink.sink.bound() >= 6).await;
    until("the first is complete", || sink.sink.checkpointed() == 3).await;
    keep(&sink, 6, 1);
    let pool = database.pool().clone();
    let written = async || -> i64 { sqlx::query_scalar("select count(*) from derived.checkpoints").fetch_one(&pool).await.unwrap() };
    while written().await < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    kill(sink).await;
    assert_eq!(files(root.path()).len(), 4);
    let sink = opened(&database, root.path(), 2).await;
    assert_eq!(found(&sink).map(|found| found.0), Some(3));
    assert_eq!((files(root.path()).len(), written().await), (2, 1), "what was not complete is swept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_gives_way_to_the_checkpoint_before() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 2).await;
    run(&mut sink, &[3, 6, 9], 12).await;
    stop(sink).await.unwrap();
    let newest = files(root.path()).into_iter().find(|name| name.starts_with("9-")).unwrap();
    let path = root.path().join("checkpoints/main").join(newest);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let sink = opened(&database, root.path(), 2).await;
    assert_eq!(found(&sink).map(|found| (found.0, found.1)), Some((6, 1)));
    kill(sink).await;
    // The one before is cut short: then the one before that.
    let path = root.path().join("checkpoints/main").join(files(root.path()).into_iter().find(|name| name.starts_with("6-")).unwrap());
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let sink = opened(&database, root.path(), 2).await;
    assert_eq!(found(&sink).map(|found| (found.0, found.1)), Some((3, 0)));
    kill(sink).await;
    // With none left, everything is read again while the first binding is still there, and nothing is started when it is not.
    std::fs::remove_dir_all(root.path().join("checkpoints/main")).unwrap();
    sqlx::query("delete from derived.bindings where tick < 3").execute(database.pool()).await.unwrap();
    let refused = open(options(&database, root.path(), 2)).await.unwrap_err();
    assert!(matches!(refused, SinkError::NoCheckpoint { checkpoints: 1, first: 3, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_start_needs_is_removed() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 2).await;
    let cuts: Vec<Tick> = (1..=38).collect();
    run(&mut sink, &cuts, 39).await;
    stop(sink).await.unwrap();
    let ticks: Vec<i64> = sqlx::query_scalar("select tick from derived.checkpoints order by 1").fetch_all(database.pool()).await.unwrap();
    // The newest two are read from 22..=38; the newest that shares no file with 23..=38 is 22, read from 7 on.
    assert_eq!(ticks, (7..=38).collect::<Vec<i64>>());
    assert_eq!(files(root.path()).len(), 2 * ticks.len());
    let first: i64 = sqlx::query_scalar("select min(tick) from derived.bindings").fetch_one(database.pool()).await.unwrap();
    assert_eq!(first, 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_recorded_with_the_tick() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 2).await;
    sink.sink.read(1, vec![(1, u64::MAX)]);
    sink.sink.read(1, vec![(0, 7), (2, 9)]);
    tell(&mut sink, &story(5, 3, 2)).await;
    kill(sink).await;
    let sink = opened(&database, root.path(), 2).await;
    assert_eq!(sink.inputs.into_iter().collect::<Vec<_>>(), [(1, vec![Some(7), Some(u64::MAX), Some(9)])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_in_the_database_is_heard_once() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let sink = opened(&database, root.path(), 2).await;
    assert!(!sink.sink.checkpoint_asked());
    sqlx::query("update derived.jobs set checkpoint_asked_at = now()").execute(database.pool()).await.unwrap();
    until("heard", || sink.sink.checkpoint_asked()).await;
    assert!(!sink.sink.checkpoint_asked());
}
