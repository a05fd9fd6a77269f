use crate::upkeep::{Plant, ago};
use dcmms_api::commands;
use dcmms_schemas::{
    command::Request,
    id::{AlarmId, PredictionId, SiteId},
    time::Moment,
};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn an_alarm_raises_an_order_and_a_prediction_proposes_one() {
    let plant = Plant::start().await;
    let onset = ago(30);
    let alarm = plant.alarm(onset, None, 7).await;
    let raise = plant.command(7, plant.raise(alarm, onset, "high")).await;
    let propose = plant.command(8, plant.propose(Uuid::new_v4(), onset)).await;
    assert_eq!(commands::pass(&plant.api.service).await.unwrap(), 2);
    assert_eq!(plant.outcome(raise).await.unwrap().0, "done");
    assert_eq!(plant.outcome(propose).await.unwrap().0, "done");
    let orders = plant.manager.get("/work-orders").await.expect(200).body["data"].clone();
    let (proposed, raised) = (&orders[0], &orders[1]);
    assert_eq!(
        (raised["status"].as_str(), raised["source_id"].as_str()),
        (Some("approved"), Some(alarm.to_string().as_str())),
        "within its source's limit"
    );
    assert_eq!(raised["onset"], json!(onset), "it is the alarm's onset that counts");
    assert!(raised["description"].as_str().unwrap().contains("\"Cabinet hot\" (version 3)"), "{raised}");
    assert_eq!(
        (proposed["status"].as_str(), proposed["order_type"].as_str()),
        (Some("submitted"), Some("predictive")),
        "a person decides on proposals"
    );
    assert!(proposed["because"]["probability"].as_f64().unwrap() > 0.8);
    assert_eq!(commands::pass(&plant.api.service).await.unwrap(), 0, "nothing is left");
}

#[tokio::test]
async fn a_dear_order_waits_for_approval_and_an_emergency_does_not() {
    let plant = Plant::start().await;
    sqlx::query("update app.order_types set estimate_default = 1001 where code = 'corrective'").execute(plant.api.pool()).await.unwrap();
    plant.command(1, plant.raise(Uuid::new_v4(), ago(9), "high")).await;
    plant.command(2, plant.raise(Uuid::new_v4(), ago(8), "emergency")).await;
    commands::pass(&plant.api.service).await.unwrap();
    let statuses: Vec<_> = plant.orders().await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["submitted", "approved"]);
}

#[tokio::test]
async fn two_executors_carry_every_command_out_once() {
    let plant = Plant::start().await;
    for nth in 0..20 {
        plant.command(nth, plant.raise(Uuid::new_v4(), ago(nth), "low")).await;
    }
    let (one, two, three) =
        tokio::join!(commands::pass(&plant.api.service), commands::pass(&plant.api.service), commands::pass(&plant.api.service));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(plant.orders().await.len(), 20);
    let results: i64 =
        sqlx::query_scalar("select count(*) from app.command_results where outcome = 'done'").fetch_one(plant.api.pool()).await.unwrap();
    assert_eq!(results, 20);
}

#[tokio::test]
async fn an_executor_that_dies_in_between_leaves_the_command_to_the_next() {
    let plant = Plant::start().await;
    let command = plant.command(1, plant.raise(Uuid::new_v4(), ago(5), "low")).await;
    let mut dying = plant.api.pool().begin().await.unwrap();
    sqlx::query(include_str!("../../queries/command_take.sql")).bind(command).bind(ago(0)).execute(&mut *dying).await.unwrap();
    let service = std::sync::Arc::clone(&plant.api.service);
    let next = tokio::spawn(async move { commands::pass(&service).await });
    // The next one waits for the row that the dying one holds.
    waits_for_a_lock(&plant).await;
    dying.rollback().await.unwrap();
    next.await.unwrap().unwrap();
    assert_eq!(plant.orders().await.len(), 1);
    assert_eq!(plant.outcome(command).await.unwrap().0, "done");
}

async fn waits_for_a_lock(plant: &Plant) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let waiting: i64 =
            sqlx::query_scalar("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                .fetch_one(plant.api.pool())
                .await
                .unwrap();
        if waiting > 0 {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_nobody_touched_is_withdrawn_and_what_somebody_did_is_corrected() {
    let plant = Plant::start().await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    plant.command(1, plant.raise(first, ago(20), "high")).await;
    plant.command(2, plant.raise(second, ago(10), "high")).await;
    commands::pass(&plant.api.service).await.unwrap();
    let orders = plant.manager.get("/work-orders").await.expect(200).body["data"].clone();
    let touched = orders[0]["id"].as_str().unwrap();
    plant.manager.post(&format!("/work-orders/{touched}/comments"), json!({"text": "On my way"})).await.expect(201);
    for alarm in [first, second] {
        plant.command(3, Request::WithdrawAlarm { alarm: AlarmId(alarm), reason: "late readings were normal".into() }).await;
    }
    commands::pass(&plant.api.service).await.unwrap();
    let statuses: Vec<_> = plant.orders().await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["cancelled", "approved"]);
    let comments = plant.manager.get(&format!("/work-orders/{touched}/comments")).await.expect(200).body;
    assert_eq!((comments[1]["kind"].as_str(), comments[1]["by_name"].as_str()), (Some("correction"), Some("engine")));
    let notices = plant.manager.get("/notices").await.expect(200).body["data"].clone();
    assert_eq!(notices.as_array().unwrap().len(), 1);
    assert!(notices[0]["text"].as_str().unwrap().contains("late readings were normal"));
    plant.manager.post(&format!("/notices/{}/actions/read", notices[0]["id"].as_str().unwrap()), json!({})).await.expect(200);
    assert_eq!(plant.manager.get("/notices").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn a_withdrawn_prediction_takes_its_proposal_along() {
    let plant = Plant::start().await;
    let prediction = Uuid::new_v4();
    plant.command(1, plant.propose(prediction, ago(60))).await;
    plant.command(2, plant.propose(Uuid::new_v4(), ago(50))).await;
    let again = plant.command(3, Request::WithdrawPrediction { prediction: PredictionId(prediction), reason: "scores fell".into() }).await;
    commands::pass(&plant.api.service).await.unwrap();
    assert_eq!(
        plant.orders().await.into_iter().map(|(_, status)| status).collect::<Vec<_>>(),
        ["cancelled"],
        "one open proposal per position"
    );
    assert_eq!(plant.outcome(again).await.unwrap().1, format!("{} is cancelled", plant.orders().await[0].0));
}

#[tokio::test]
async fn what_people_did_follows_an_alarm_whose_onset_moves() {
    let plant = Plant::start().await;
    let (before, after) = (ago(30), ago(35));
    let old = plant.alarm(before, None, 1).await;
    plant.command(1, plant.raise(old, before, "high")).await;
    commands::pass(&plant.api.service).await.unwrap();
    let operator = plant.api.role(dcmms_schemas::access::Role::ControlRoomOperator).await;
    operator.act(&format!("/alarms/{old}/actions/ack"), "\"v0\"", json!({"comment": "seen"})).await.expect(200);
    plant.retract(old, 2).await;
    let new = plant.alarm(after, None, 2).await;
    plant.command(2, Request::MoveAlarm { from: AlarmId(old), to: AlarmId(new), onset: Moment::from(after) }).await;
    commands::pass(&plant.api.service).await.unwrap();
    let alarm = operator.get(&format!("/alarms/{new}")).await.expect(200).body;
    assert_eq!((alarm["state"].as_str(), &alarm["moved_from"]), (Some("C"), &json!([old])));
    assert_eq!(alarm["order_number"], plant.orders().await[0].0);
    assert_eq!(operator.get(&format!("/alarms/{new}/comments")).await.expect(200).body[0]["text"], "seen");
    let event = plant.api.events("order").await.pop().unwrap();
    assert_eq!(event["row"]["onset"], Moment::from(after).0, "the engine is told the new onset");
}

#[tokio::test]
async fn a_command_that_fails_is_tried_again_and_holds_back_its_own_cause_only() {
    let plant = Plant::start().await;
    let (alarm, onset) = (Uuid::new_v4(), ago(3));
    let Request::RaiseOrder { alarm: id, rule, rule_version, point, position, template, .. } = plant.raise(alarm, onset, "high") else {
        unreachable!()
    };
    let nowhere =
        Request::RaiseOrder { alarm: id, rule, rule_version, point, site: SiteId(Uuid::new_v4()), position, onset: onset.into(), template };
    let bad = plant.command(1, nowhere).await;
    let held = plant.command(2, Request::WithdrawAlarm { alarm: AlarmId(alarm), reason: "no".into() }).await;
    let good = plant.command(3, plant.raise(Uuid::new_v4(), onset, "high")).await;
    commands::pass(&plant.api.service).await.unwrap();
    assert_eq!(plant.outcome(good).await.unwrap().0, "done");
    assert_eq!(plant.outcome(bad).await, None);
    for _ in 0..4 {
        commands::pass(&plant.api.service).await.unwrap();
        let due =
            sqlx::query("update app.command_attempts set next_at = now() - interval '1 second'").execute(plant.api.pool()).await.unwrap();
        assert_eq!(due.rows_affected(), 1, "it waits for its next try");
        commands::pass(&plant.api.service).await.unwrap();
    }
    let (outcome, detail) = plant.outcome(bad).await.unwrap();
    assert_eq!(outcome, "failed");
    assert!(detail.contains("does not exist"), "{detail}");
    commands::pass(&plant.api.service).await.unwrap();
    assert_eq!(plant.outcome(held).await.unwrap().0, "nothing_to_do");
}

#[tokio::test]
async fn the_executor_hears_of_commands_and_ends_when_asked() {
    let plant = Plant::start().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(commands::run(std::sync::Arc::clone(&plant.api.service), stopped));
    let command = plant.command(1, plant.raise(Uuid::new_v4(), ago(5), "low")).await;
    sqlx::query("select pg_notify('dcmms_commands', '')").execute(plant.api.pool()).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while plant.outcome(command).await.is_none() {
        assert!(std::time::Instant::now() < deadline, "it was not carried out");
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
}
