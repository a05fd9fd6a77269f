//! Every tick lands once, whatever is killed and whenever.

mod support;

use dcmms_schemas::{
    command::{Command, Request},
    id::{AlarmId, PointNumber, RuleId, SiteId},
    outcome::Outcome,
    rule::OrderTemplate,
    sealed::Outlet,
    testing::{Cluster, TestDatabase},
    time::SECOND,
};
use dcmms_sinks::SinkError;
use support::{
    assert_same, binding, dump, kill,
    model::Model,
    opened, say, stop,
    story::{Random, START, Said, story},
    tell, until, until_durable,
};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_those_of_a_plain_model_at_every_tick() {
    for seed in 1..=4 {
        let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let story = story(seed, 60, 1 + seed as usize % 3);
        let mut sink = opened(&database, root.path(), story[0].shares.len()).await;
        let mut model = Model::default();
        let mut states = Vec::new();
        // In bursts, so that some transactions hold several ticks.
        for burst in story.chunks(1 + seed as usize * 3) {
            tell(&mut sink, burst).await;
            burst.iter().for_each(|said| {
                model.tell(said);
                states.push((said.tick, model.clone()));
            });
            model.judge(database.pool()).await;
        }
        for (tick, model) in &states {
            model.judge_as_of(database.pool(), *tick).await;
        }
        stop(sink).await.unwrap();
        let state: String = sqlx::query_scalar("select state from derived.jobs").fetch_one(database.pool()).await.unwrap();
        assert_eq!(state, "stopped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_told_again_change_nothing() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(7, 40, 2);
    let mut first = opened(&database, root.path(), 2).await;
    tell(&mut first, &story[..25]).await;
    kill(first).await;
    let before = dump(database.pool()).await;

    let mut second = opened(&database, root.path(), 2).await;
    assert_eq!((second.generation, second.durable, second.bindings.len()), (2, 25, 25));
    assert_eq!(second.bindings[3], binding(&story[3], 1));
    story[..25].iter().for_each(|said| say(&second.sink, said));
    tell(&mut second, &story[25..26]).await;
    let after = dump(database.pool()).await;
    assert!(after.len() >= before.len() && after != before);
    tell(&mut second, &story[26..]).await;

    let (undisturbed, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&undisturbed, root.path(), 2).await;
    tell(&mut sink, &story).await;
    assert_same(&dump(database.pool()).await, &dump(undisturbed.pool()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_and_proved_again_is_asked_for_again() {
    let (alarm, other) = (AlarmId(Uuid::from_u128(1)), AlarmId(Uuid::from_u128(2)));
    let raise = |alarm| Request::RaiseOrder {
        alarm,
        rule: RuleId(Uuid::from_u128(3)),
        rule_version: 1,
        point: PointNumber(4),
        site: SiteId(Uuid::from_u128(5)),
        position: None,
        onset: START,
        template: OrderTemplate {
            order_type: "corrective".to_owned(),
            priority: "high".to_owned(),
            title: "Look".to_owned(),
            description: String::new(),
        },
    };
    let withdraw = |alarm| Request::WithdrawAlarm { alarm, reason: "disproved".to_owned() };
    let requests = [raise(alarm), raise(alarm), withdraw(alarm), raise(alarm), raise(other), raise(alarm), withdraw(alarm), raise(alarm)];
    let story: Vec<Said> = (1..)
        .zip(requests)
        .map(|(tick, request)| {
            let clock = START.plus(tick as i64 * SECOND);
            Said { tick, clock, shares: vec![Outcome { commands: vec![Command::new(clock, request)], ..Outcome::default() }] }
        })
        .collect();
    // In one transaction, and in one for each tick.
    for burst in [story.len(), 1] {
        let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let mut sink = opened(&database, root.path(), 1).await;
        for ticks in story.chunks(burst) {
            tell(&mut sink, ticks).await;
        }
        let asked: Vec<i64> =
            sqlx::query_scalar("select tick from derived.commands order by tick").fetch_all(database.pool()).await.unwrap();
        assert_eq!(asked, [1, 3, 4, 5, 7, 8], "at {burst} ticks a transaction");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_killed_again_and_again_loses_and_doubles_nothing() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(11, 150, 2);
    let mut sink = opened(&database, root.path(), 2).await;
    let pool = database.pool().clone();
    let killer = tokio::spawn(async move {
        let mut random = Random::new(5);
        let mut killed = 0i64;
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20 + random.below(60))).await;
            let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and application_name like 'dcmms%' and state <> 'idle'";
            killed += sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap();
            if killed >= 12 {
                return;
            }
        }
    });
    let mut told = 0;
    while !killer.is_finished() && told < story.len() {
        tell(&mut sink, &story[told..told + 1]).await;
        told += 1;
    }
    tell(&mut sink, &story[told..]).await;
    killer.abort();
    stop(sink).await.unwrap();

    let (undisturbed, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let mut sink = opened(&undisturbed, root.path(), 2).await;
    tell(&mut sink, &story).await;
    assert_same(&dump(database.pool()).await, &dump(undisturbed.pool()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_waited_for() {
    let cluster = Cluster::start();
    let (database, root) = (TestDatabase::create_on(cluster.options()).await, tempfile::tempdir().unwrap());
    let story = story(13, 60, 1);
    let mut sink = opened(&database, root.path(), 1).await;
    for burst in story.chunks(20) {
        for said in burst {
            sink.sink.bind(binding(said, sink.generation));
            say(&sink.sink, said);
        }
        tokio::task::block_in_place(|| {
            cluster.crash();
            cluster.resume();
        });
    }
    until_durable(&mut sink, 60).await;
    until("bound", || sink.sink.bound() == 60).await;
    let bindings: i64 = sqlx::query_scalar("select count(*) from derived.bindings").fetch_one(database.pool()).await.unwrap();
    assert_eq!(bindings, 60);
    let mut model = Model::default();
    story.iter().for_each(|said| model.tell(said));
    model.judge(database.pool()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_of_two_generations_stops() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(17, 30, 1);
    let mut old = opened(&database, root.path(), 1).await;
    tell(&mut old, &story[..10]).await;
    let mut new = opened(&database, root.path(), 1).await;
    // Both say the same ticks at the same time.
    for said in &story[10..] {
        old.sink.bind(binding(said, old.generation));
        say(&old.sink, said);
        new.sink.bind(binding(said, new.generation));
        say(&new.sink, said);
    }
    until_durable(&mut new, 30).await;
    until("bound", || new.sink.bound() == 30).await;
    until("the old one gives up", || old.sink.closed()).await;
    assert!(matches!(old.task.await.unwrap(), Err(SinkError::Fenced { ours: 1, theirs: 2, .. })));
    assert_eq!(old.sink.durable(), 10);
    let generations: Vec<i64> =
        sqlx::query_scalar("select distinct generation from derived.bindings where tick > 10").fetch_all(database.pool()).await.unwrap();
    assert_eq!(generations, [2]);
    let mut model = Model::default();
    story.iter().for_each(|said| model.tell(said));
    model.judge(database.pool()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_leaves_out_a_tick_is_found_out() {
    let (database, root) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let story = story(19, 3, 1);
    let mut sink = opened(&database, root.path(), 1).await;
    tell(&mut sink, &story[..1]).await;
    say(&sink.sink, &story[2]);
    let ended = sink.task.await.unwrap();
    assert!(matches!(ended, Err(SinkError::Gap { worker: 0, expected: 2, got: 3 })), "{ended:?}");
    let (state, failure): (String, String) =
        sqlx::query_as("select state, failure from derived.jobs").fetch_one(database.pool()).await.unwrap();
    assert_eq!((state.as_str(), failure.as_str()), ("failed", "worker 0 said tick 3 where tick 2 comes next"));
}
