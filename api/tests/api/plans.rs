use crate::{
    support::{Answer, Client},
    upkeep::Plant,
};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

fn monthly(plant: &Plant, name: &str) -> Value {
    let start = (Utc::now() + TimeDelta::days(3)).format("%Y-%m-%dT06:00:00Z").to_string();
    json!({"name": name, "site": plant.site, "positions": [plant.position], "lead_time_days": 7,
        "triggers": [{"kind": "time", "start": start, "rrule": "FREQ=MONTHLY", "zone": "Asia/Kolkata", "anchor": "fixed"}],
        "job": {"title": "Monthly round", "estimate_cost": "100", "hours": "2", "tasks": [{"instruction": "Clean the filter"}]}})
}

async fn does(client: &Client, row: &Answer, verb: &str, body: Value) -> Answer {
    client.act(&format!("/pm-plans/{}/actions/{verb}", row.id()), &row.etag(), body).await
}

async fn occurrences(client: &Client, plan: &str) -> Vec<Value> {
    client.get(&format!("/pm-occurrences?filter[plan]={plan}")).await.expect(200).body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_is_made_once_however_many_runs_race() {
    let plant = Plant::start().await;
    let plan = plant.planner.post("/pm-plans", monthly(&plant, "Round")).await.expect(201);
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 0, "a draft makes nothing");
    let path = format!("/pm-plans/{}/actions/generate", plan.id());
    assert_eq!(plant.planner.post(&path, json!({})).await.refuses(409, "maintenance_plan.generate.guard").body["guard"], "active");
    let plan = does(&plant.planner, &plan, "activate", json!({})).await.expect(200);
    let runs = futures::future::join_all((0..8).map(|_| dcmms_api::plans::generate(&plant.api.service)));
    let asked = futures::future::join_all((0..8).map(|_| plant.planner.post(&path, json!({}))));
    let (runs, asked) = tokio::join!(runs, asked);
    let made: u64 = runs.into_iter().map(Result::unwrap).sum::<u64>()
        + asked.into_iter().map(|answer| answer.expect(200).body["orders"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(made, 1);
    let rows = occurrences(&plant.planner, &plan.id()).await;
    assert_eq!((rows.len(), rows[0]["status"].as_str(), rows[0]["basis"].as_str()), (1, Some("generated"), Some("time")));
    let order = plant.planner.get(&format!("/work-orders/{}", rows[0]["work_order"].as_str().unwrap())).await.expect(200);
    assert_eq!(
        (order.body["status"].as_str(), order.body["source"].as_str(), order.body["order_type"].as_str()),
        (Some("approved"), Some("pm"), Some("preventive"))
    );
    assert_eq!(order.body["due_at"], rows[0]["due_at"]);
    let tasks = plant.planner.get(&format!("/work-orders/{}/tasks", order.id())).await.expect(200).body;
    assert_eq!(tasks[0]["instruction"], "Clean the filter");
    assert_eq!(plant.api.events("order").await.len(), 2, "the engine is told of its creation and approval");

    // Completing it completes the occurrence; cancelling one skips it.
    sqlx::query("update app.work_orders set status = 'in_progress', started_at = now(), no_parts_used = true")
        .execute(plant.api.pool())
        .await
        .unwrap();
    sqlx::query("update app.order_tasks set state = 'completed'").execute(plant.api.pool()).await.unwrap();
    sqlx::query("insert into app.labour_entries (order_id, person, from_at, to_at) select id, 'Ana', now() - interval '1 h', now() from app.work_orders").execute(plant.api.pool()).await.unwrap();
    let seen = plant.planner.get(&format!("/pm-occurrences/{}", rows[0]["id"].as_str().unwrap())).await.expect(200);
    let skip = format!("/pm-occurrences/{}/actions/skip", seen.id());
    let refused = plant.planner.act(&skip, &seen.etag(), json!({"reason": "rain"})).await.refuses(409, "plan_occurrence.skip.guard");
    assert_eq!(refused.body["guard"], "not_begun");
    plant.manager.does(&order, "complete", json!({"completion_note": "done"})).await.expect(200);
    let rows = occurrences(&plant.planner, &plan.id()).await;
    assert_eq!(rows[0]["status"], "done");
    assert!(rows[0]["done_at"].is_string());
}

#[tokio::test]
async fn an_occurrence_is_skipped_or_absorbed_with_a_reason_and_its_order_goes() {
    let plant = Plant::start().await;
    let mut statutory = monthly(&plant, "Law");
    statutory["statutory"] = json!(true);
    let plan = plant.planner.post("/pm-plans", statutory).await.expect(201);
    does(&plant.planner, &plan, "activate", json!({})).await.expect(200);
    let other = plant.planner.post("/pm-plans", monthly(&plant, "Round")).await.expect(201);
    does(&plant.planner, &other, "activate", json!({})).await.expect(200);
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 2);
    let law = occurrences(&plant.planner, &plan.id()).await[0].clone();
    let round = occurrences(&plant.planner, &other.id()).await[0].clone();
    let path = |row: &Value, verb: &str| format!("/pm-occurrences/{}/actions/{verb}", row["id"].as_str().unwrap());
    let tag = |row: &Value| format!("\"v{}\"", row["version"]);
    let refused =
        plant.supervisor.act(&path(&law, "skip"), &tag(&law), json!({"reason": "rain"})).await.refuses(409, "plan_occurrence.skip.guard");
    assert_eq!(refused.body["guard"], "statutory");
    plant.planner.act(&path(&law, "skip"), &tag(&law), json!({})).await.refuses(409, "plan_occurrence.skip.guard");
    plant
        .planner
        .act(&path(&round, "absorb"), &tag(&round), json!({"absorbed_by": round["id"]}))
        .await
        .refuses(409, "plan_occurrence.absorb.guard");
    let absorbed = plant.planner.act(&path(&round, "absorb"), &tag(&round), json!({"absorbed_by": law["id"]})).await.expect(200);
    assert_eq!((absorbed.body["status"].as_str(), &absorbed.body["absorbed_by"]), (Some("absorbed"), &law["id"]));
    let order = plant.planner.get(&format!("/work-orders/{}", round["work_order"].as_str().unwrap())).await.expect(200);
    assert_eq!(order.body["status"], "cancelled");
    let skipped = plant.planner.act(&path(&law, "skip"), &tag(&law), json!({"reason": "plant is shut"})).await.expect(200);
    assert_eq!((skipped.body["status"].as_str(), skipped.body["reason"].as_str()), (Some("skipped"), Some("plant is shut")));
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 0, "what was skipped is not made again");
    let stranger = plant.api.stranger(Role::PlantManager).await;
    stranger.act(&path(&law, "skip"), &tag(&law), json!({"reason": "x"})).await.refuses(404, "not_found");
    stranger.get(&format!("/pm-occurrences/{}", law["id"].as_str().unwrap())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_larger_plan_absorbs_the_smaller_and_the_forecast_says_so() {
    let plant = Plant::start().await;
    let mut yearly = monthly(&plant, "Yearly");
    yearly["triggers"][0]["rrule"] = json!("FREQ=YEARLY");
    let yearly = plant.planner.post("/pm-plans", yearly).await.expect(201);
    let mut small = monthly(&plant, "Monthly");
    small["absorbed_by"] = json!(yearly.id());
    let small = plant.planner.post("/pm-plans", small).await.expect(201);
    plant
        .planner
        .patch(&format!("/pm-plans/{}", yearly.id()), &yearly.etag(), json!({"absorbed_by": small.id()}))
        .await
        .refuses(422, "validation");
    let forecast = plant.planner.get(&format!("/pm-plans/{}/preview?horizon_days=360", small.id())).await.expect(200).body;
    let rows = forecast["occurrences"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["absorbed"].as_bool(), rows[1]["absorbed"].as_bool()), (12, Some(true), Some(false)), "{forecast}");
    assert_eq!((forecast["hours"].as_str(), forecast["cost"].as_str()), (Some("22"), Some("1100")));
    plant.planner.get(&format!("/pm-plans/{}/preview?horizon_days=0", small.id())).await.refuses(400, "bad_horizon");
    plant.api.stranger(Role::PlantManager).await.get(&format!("/pm-plans/{}/preview", small.id())).await.refuses(404, "not_found");
    does(&plant.planner, &yearly, "activate", json!({})).await.expect(200);
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 1);
    does(&plant.planner, &small, "activate", json!({})).await.expect(200);
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 0);
    assert_eq!(occurrences(&plant.planner, &small.id()).await[0]["status"], "absorbed");
}

#[tokio::test]
async fn meters_and_alarms_make_work_due() {
    let plant = Plant::start().await;
    let meter = json!({"position": plant.position, "code": "H1", "register_type": "hours", "unit": "h"});
    let meter = plant.api.role(Role::SiteEngineer).await.post("/meters", meter).await.expect(201).id();
    let read = |days_ago: i64, value: &str| json!({"at": Utc::now() - TimeDelta::days(days_ago), "value": value});
    let readings = format!("/meters/{meter}/readings");
    plant.planner.post(&readings, read(20, "0")).await.expect(201);
    plant.planner.post(&readings, read(10, "400")).await.expect(201);
    let mut plan = monthly(&plant, "By meter");
    plan["triggers"] = json!([{"kind": "meter", "register": "hours", "interval": "500"}, {"kind": "condition", "rule": plant.rule}]);
    plan["lead_time_days"] = json!(0);
    let plan = plant.planner.post("/pm-plans", plan).await.expect(201);
    does(&plant.planner, &plan, "activate", json!({})).await.expect(200);
    let forecast = plant.planner.get(&format!("/pm-plans/{}/preview?horizon_days=30", plan.id())).await.expect(200).body;
    let first: DateTime<Utc> = forecast["occurrences"][0]["due_at"].as_str().unwrap().parse().unwrap();
    assert!(
        (first - (Utc::now() - TimeDelta::milliseconds(7 * 86_400_000 + 43_200_000))).num_minutes().abs() < 5,
        "100 h at 40 h a day: {first}"
    );
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 1);
    plant.planner.post(&readings, read(0, "520")).await.expect(201);
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 0, "the same 500 hours, seen again");
    let rows = occurrences(&plant.planner, &plan.id()).await;
    assert_eq!((rows[0]["basis"].as_str(), rows[0]["due_meter"].as_str()), (Some("meter"), Some("500.0000")));
    // Done; then an alarm makes it due again.
    sqlx::query("update app.pm_occurrences set status = 'done', done_at = now() - interval '1 day'")
        .execute(plant.api.pool())
        .await
        .unwrap();
    sqlx::query("insert into derived.alarms (id, from_tick, rule, version, point, severity, onset, raised, value, peak, threshold) values ($1, 1, $2, 3, $3, 'high', now() - interval '1 h', now(), 70, 70, 65)")
        .bind(Uuid::new_v4()).bind(plant.rule).bind(plant.point).execute(plant.api.pool()).await.unwrap();
    assert_eq!(dcmms_api::plans::generate(&plant.api.service).await.unwrap(), 1);
    let rows = occurrences(&plant.planner, &plan.id()).await;
    assert_eq!(rows.last().unwrap()["basis"], "condition");
}

#[tokio::test]
async fn a_window_that_closes_is_missed_and_plans_end() {
    let plant = Plant::start().await;
    let plan = plant.planner.post("/pm-plans", monthly(&plant, "Round")).await.expect(201);
    let plan = does(&plant.planner, &plan, "activate", json!({})).await.expect(200);
    dcmms_api::plans::generate(&plant.api.service).await.unwrap();
    sqlx::query("update app.pm_occurrences set due_at = now() - interval '30 days', window_from = now() - interval '30 days', window_to = now() - interval '20 days'")
        .execute(plant.api.pool()).await.unwrap();
    dcmms_api::plans::generate(&plant.api.service).await.unwrap();
    let rows = occurrences(&plant.planner, &plan.id()).await;
    assert_eq!(rows[0]["status"], "missed");
    let history = plant.manager.get(&format!("/history/pm_occurrences/{}", rows[0]["id"].as_str().unwrap())).await.expect(200).body;
    assert_eq!(history["data"][0]["event"], "miss");
    plant.planner.delete(&format!("/pm-plans/{}", plan.id()), &plan.etag()).await.refuses(409, "in_use");
    does(&plant.planner, &plan, "pause", json!({})).await.refuses(409, "maintenance_plan.pause.guard");
    let plan = does(&plant.planner, &plan, "pause", json!({"reason": "rebuilt"})).await.expect(200);
    let plan = does(&plant.planner, &plan, "resume", json!({})).await.expect(200);
    let plan = does(&plant.planner, &plan, "end", json!({"reason": "sold"})).await.expect(200);
    plant.planner.delete(&format!("/pm-plans/{}", plan.id()), &plan.etag()).await.expect(204);
}

#[tokio::test]
async fn a_plan_says_only_what_can_be() {
    let plant = Plant::start().await;
    let mut wrong = monthly(&plant, "");
    wrong["positions"] = json!([Uuid::nil()]);
    wrong["triggers"][0]["rrule"] = json!("FREQ=SOMETIMES");
    wrong["job"]["priority"] = json!("whenever");
    wrong["job"]["tasks"][0]["kind"] = json!("dance");
    let wrong = plant.planner.post("/pm-plans", wrong).await.refuses(422, "validation");
    let pointers: Vec<_> = wrong.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/name", "/triggers/0", "/job/priority", "/job/tasks/0/kind", "/positions"]);
    let mut wrong = monthly(&plant, "Odd");
    wrong["combine"] = json!("none_of");
    plant.planner.post("/pm-plans", wrong).await.refuses(422, "bad_field");
    let mut wrong = monthly(&plant, "Odd");
    wrong["months"] = json!([13]);
    plant.planner.post("/pm-plans", wrong).await.refuses(422, "validation");
    let mut wrong = monthly(&plant, "Over");
    wrong["triggers"][0]["rrule"] = json!("FREQ=DAILY;UNTIL=20200101T000000Z");
    wrong["triggers"][0]["start"] = json!("2019-01-01T00:00:00Z");
    let over = plant.planner.post("/pm-plans", wrong).await.expect(201);
    assert_eq!(
        does(&plant.planner, &over, "activate", json!({})).await.refuses(409, "maintenance_plan.activate.guard").body["guard"],
        "comes"
    );
    plant.planner.post("/pm-plans", monthly(&plant, "Over")).await.refuses(409, "name_taken");
    plant.supervisor.post("/pm-plans", monthly(&plant, "Mine")).await.refuses(403, "forbidden");
    // Reliability engineers propose; they do not put in force, nor change what is.
    let reliability = plant.api.role(Role::ReliabilityEngineer).await;
    let proposed = reliability.post("/pm-plans", monthly(&plant, "Proposed")).await.expect(201);
    let path = format!("/pm-plans/{}", proposed.id());
    let proposed = reliability.patch(&path, &proposed.etag(), json!({"late_days": 3})).await.expect(200);
    does(&reliability, &proposed, "activate", json!({})).await.refuses(403, "forbidden");
    let active = does(&plant.planner, &proposed, "activate", json!({})).await.expect(200);
    reliability.patch(&path, &active.etag(), json!({"late_days": 5})).await.refuses(403, "forbidden");
    plant
        .planner
        .patch(&path, &active.etag(), json!({"triggers": [{"kind": "condition", "rule": plant.rule}]}))
        .await
        .refuses(422, "validation");
    plant.planner.patch(&path, "\"v1\"", json!({"late_days": 5})).await.refuses(412, "stale_version");
    plant.planner.get("/pm-plans?filter[status]=active").await.expect(200);
    plant.planner.get(&path).await.expect(200);
    let stranger = plant.api.stranger(Role::PlantManager).await;
    stranger.post("/pm-plans", monthly(&plant, "Theirs")).await.refuses(422, "validation");
    stranger.get(&path).await.refuses(404, "not_found");
    stranger.post(&format!("{path}/actions/generate"), json!({})).await.refuses(404, "not_found");
}
