//! Who may continue a job.

mod support;

use dcmms_schemas::{sealed::Outlet, testing::TestDatabase};
use dcmms_sinks::{SinkError, open};
use support::{opened, options, sources, stop, story::story, tell};

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_answers_differently_is_refused_with_what_differs() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    stop(opened(&database, root.path(), 1).await).await.unwrap();
    let mut other = options(&database, root.path(), 1);
    other.fingerprint = serde_json::json!({"graph": 2});
    let refused = open(other).await.unwrap_err();
    assert!(matches!(&refused, SinkError::Fingerprint { differences, .. } if differences == &["graph was 1 and is 2"]), "{refused}");
    // A refusal fences nobody.
    assert_eq!(opened(&database, root.path(), 1).await.generation, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_made_anew_is_accepted_only_when_told_so() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&database, root.path(), 1).await;
    tell(&mut sink, &story(1, 4, 1)).await;
    stop(sink).await.unwrap();
    let anew = |accept| {
        let mut options = options(&database, root.path(), 1);
        options.sources.iter_mut().for_each(|partition| partition.source.topic_id = "u".to_owned());
        options.accept_new_source = accept;
        options
    };
    let refused = open(anew(false)).await.unwrap_err();
    assert!(matches!(refused, SinkError::SourceChanged { .. }), "{refused}");
    let accepted = open(anew(true)).await.unwrap();
    assert_eq!((accepted.durable, accepted.bindings.len(), accepted.sink.bound()), (4, 0, 4));
    assert_eq!(accepted.sources[0].source.topic_id, "u");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_added_comes_last() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    stop(opened(&database, root.path(), 1).await).await.unwrap();
    let mut more = options(&database, root.path(), 1);
    let added = dcmms_schemas::binding::SourcePartition { partition: 2, ..more.sources[0].clone() };
    more.sources.insert(2, added.clone());
    let sink = open(more).await.unwrap();
    assert_eq!(sink.sources, [sources(), vec![added]].concat());
}
