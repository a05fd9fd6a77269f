use crate::upkeep::{Plant, ago, window};
use axum::http::Method;
use chrono::Utc;
use dcmms_schemas::access::Role;
use serde_json::json;

const NEVER: &str = "2099-12-31";

#[tokio::test]
async fn an_order_goes_from_draft_to_closed_through_every_guard() {
    let plant = Plant::start().await;
    let (ana, ana_id) = plant.technician("Ana", NEVER).await;
    let (planner, manager, supervisor) = (&plant.planner, &plant.manager, &plant.supervisor);
    let mut draft = plant.draft();
    draft["description"] = json!("");
    draft["required_skills"] = json!(["HV switching"]);
    draft["required_permits"] = json!(["LOTO"]);
    let order = planner.post("/work-orders", draft).await.expect(201);
    assert!(order.body["number"].as_str().unwrap().starts_with("WO-20"));
    planner.does(&order, "submit", json!({})).await.guarded("description");
    let path = format!("/work-orders/{}", order.id());
    let order = planner.patch(&path, &order.etag(), json!({"description": "Loud", "estimate_cost": "5000"})).await.expect(200);
    let order = planner.does(&order, "submit", json!({})).await.at("submitted");
    planner.does(&order, "approve", json!({})).await.refuses(403, "forbidden");
    let order = manager.does(&order, "reject", json!({"reason": "which fan?"})).await.at("draft");
    let order = manager.does(&order, "submit", json!({})).await.at("submitted");
    manager.does(&order, "approve", json!({})).await.guarded("approver_is_not_submitter");
    let order = supervisor.does(&order, "approve", json!({})).await.at("approved");
    let past = json!({"planned_from": ago(60), "planned_to": Utc::now()});
    let refused = planner.does(&order, "schedule", past).await.guarded("window_in_future");
    let missing: Vec<_> = refused.body["explain"].as_array().unwrap().iter().map(|missing| missing["guard"].as_str().unwrap()).collect();
    assert_eq!(missing, ["window_in_future", "permits_identified"], "both are said at once");
    let permit = manager.records(&order, "permits", json!({"kind": "LOTO"})).await.expect(201);
    let order = planner.does(&order, "schedule", window(1)).await.at("scheduled");
    let (_, ben) = plant.technician("Ben", "2020-01-01").await;
    planner.does(&order, "assign", json!({ "technician": ben })).await.guarded("assignee_skilled");
    let order = planner.does(&order, "assign", json!({ "technician": ana_id })).await.at("assigned");
    ana.does(&order, "start", json!({"safety_acknowledged": true})).await.guarded("permits_valid");
    let permit_path = format!("/work-orders/{}/permits/{}", order.id(), permit.id());
    let issued = json!({"status": "issued", "valid_to": "2099-01-01T00:00:00Z"});
    let permit = manager.patch(&permit_path, &permit.etag(), issued).await.expect(200);
    ana.does(&order, "start", json!({})).await.guarded("safety_acknowledged");
    let (other, _) = plant.technician("Cara", NEVER).await;
    other.does(&order, "start", json!({"safety_acknowledged": true})).await.refuses(404, "not_found");
    let order = ana.does(&order, "start", json!({"safety_acknowledged": true})).await.at("in_progress");
    ana.does(&order, "hold", json!({})).await.guarded("hold_reason");
    let order = ana.does(&order, "hold", json!({"hold_reason": "parts"})).await.at("on_hold");
    ana.does(&order, "resume", json!({})).await.guarded("blocking_cleared");
    let order = ana.does(&order, "resume", json!({"blocking_cleared": true})).await.at("in_progress");
    let task = planner.records(
        &order,
        "tasks",
        json!({"kind": "measure_with_limits", "instruction": "Insulation", "limit_min": 1.0, "unit": "MOhm"}),
    );
    let task = task.await.expect(201).id();
    let refused = ana.does(&order, "complete", json!({})).await.guarded("mandatory_tasks_done");
    let missing: Vec<_> = refused.body["explain"].as_array().unwrap().iter().map(|missing| missing["guard"].as_str().unwrap()).collect();
    assert_eq!(missing, ["mandatory_tasks_done", "parts_recorded", "labour_recorded", "completion_note", "failure_reported"]);
    ana.records(&order, &format!("tasks/{task}/actions/complete"), json!({"result": "good"})).await.refuses(422, "validation");
    ana.records(&order, &format!("tasks/{task}/actions/complete"), json!({"result": 0.4})).await.expect(200);
    let part = json!({"part": "Fan 24 V", "quantity": "1"});
    ana.records(&order, "parts", part).await.expect(201);
    ana.records(&order, "labour", json!({"from_at": ago(30), "to_at": ago(1)})).await.expect(201);
    let failure = json!({"mode": "OHE", "mechanism": "PV-FAN", "cause": "3", "failed_at": ago(60), "restored_at": ago(2)});
    ana.records(&order, "failure-reports", failure).await.expect(201);
    let said = json!({"completion_note": "New fan"});
    ana.does(&order, "complete", said.clone()).await.guarded("measurements_in_limits");
    supervisor
        .records(&order, &format!("tasks/{task}/actions/complete"), json!({"result": 0.4, "reason": "wet morning"}))
        .await
        .expect(200);
    let order = ana.does(&order, "complete", said).await.at("completed");
    let order = manager.does(&order, "reopen", json!({"reason": "still loud"})).await.at("in_progress");
    let order = supervisor.does(&order, "complete", json!({"completion_note": "Fixed the bracket"})).await.at("completed");
    supervisor.does(&order, "verify", json!({"quality_checked": true})).await.guarded("verifier_is_not_executor");
    manager.does(&order, "verify", json!({})).await.guarded("quality_checked");
    let order = manager.does(&order, "verify", json!({"quality_checked": true})).await.at("verified");
    let refused = manager.does(&order, "close", json!({})).await.guarded("costs_final");
    assert_eq!(refused.body["explain"].as_array().unwrap().len(), 2, "the price and the permit: {}", refused.body);
    sqlx::query("update app.part_lines set unit_cost = 35").execute(plant.api.pool()).await.unwrap();
    manager.patch(&permit_path, &permit.etag(), json!({"status": "closed"})).await.expect(200);
    let order = manager.does(&order, "close", json!({})).await.at("closed");
    let order = manager.does(&order, "correct", json!({"reason": "log book", "resolved_at": ago(0)})).await.at("closed");
    manager.does(&order, "start", json!({})).await.refuses(409, "wo.start.stage");
    every_step_was_told(&plant, &order.id(), order.body["version"].as_i64().unwrap()).await;
}

/// The history and the engine saw each version once, in order.
async fn every_step_was_told(plant: &Plant, id: &str, version: i64) {
    let history = plant.manager.get(&format!("/work-orders/{id}/transitions")).await.expect(200).body;
    let history: Vec<_> = history.as_array().unwrap().iter().map(|step| step["version"].as_i64().unwrap()).collect();
    assert_eq!(history, (1..=version).collect::<Vec<_>>());
    let events = plant.api.events("order").await;
    let told: Vec<_> = events.iter().map(|event| event["version"].as_i64().unwrap()).collect();
    assert_eq!(told, (1..=version).collect::<Vec<_>>());
    let last = &events.last().unwrap()["row"];
    assert_eq!((last["status"].as_str(), last["holds"][0]["reason"].as_str()), (Some("closed"), Some("parts")));
    assert!(last["started"].is_i64() && last["resolved"].is_i64() && last["holds"][0]["to"].is_i64(), "{last}");
}

#[tokio::test]
async fn of_two_clients_racing_on_one_order_one_wins() {
    let plant = Plant::start().await;
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let (one, two) = tokio::join!(plant.planner.does(&order, "submit", json!({})), plant.supervisor.does(&order, "submit", json!({})));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", one.body, two.body);
    assert_eq!(plant.api.events("order").await.len(), 2, "one creation, one submission");
}

#[tokio::test]
async fn a_move_that_is_not_listed_is_refused_with_those_that_are() {
    let plant = Plant::start().await;
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let refused = plant.manager.does(&order, "approve", json!({})).await.refuses(409, "wo.approve.stage");
    assert_eq!(refused.body["type"], "urn:problem:invalid-transition");
    assert_eq!(refused.body["explain"][0], json!({"from": "draft", "event": "approve", "allowed": ["submit", "auto_approve", "cancel"]}));
}

#[tokio::test]
async fn small_work_and_emergencies_need_no_persons_approval() {
    let plant = Plant::start().await;
    let mut draft = plant.draft();
    draft["estimate_cost"] = json!("1000");
    let small = plant.planner.post("/work-orders", draft.clone()).await.expect(201);
    plant.planner.does(&small, "submit", json!({})).await.at("approved");
    draft["estimate_cost"] = json!("1000.01");
    let large = plant.planner.post("/work-orders", draft.clone()).await.expect(201);
    plant.planner.does(&large, "submit", json!({})).await.at("submitted");
    draft["priority"] = json!("emergency");
    let urgent = plant.planner.post("/work-orders", draft.clone()).await.expect(201);
    plant.planner.does(&urgent, "submit", json!({})).await.at("approved");
    draft["priority"] = json!("low");
    draft["estimate_cost"] = json!("10000.01");
    let dear = plant.planner.post("/work-orders", draft).await.expect(201);
    let dear = plant.planner.does(&dear, "submit", json!({})).await.at("submitted");
    plant.supervisor.does(&dear, "approve", json!({})).await.guarded("within_approval_limit");
    plant.manager.does(&dear, "approve", json!({})).await.at("approved");
}

#[tokio::test]
async fn nobody_is_booked_twice_unless_a_supervisor_says_so() {
    let plant = Plant::start().await;
    let (_, ana) = plant.technician("Ana", NEVER).await;
    plant.assigned(&ana).await;
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let order = plant.planner.does(&order, "submit", json!({})).await.expect(200);
    let order = plant.manager.does(&order, "approve", json!({})).await.expect(200);
    let order = plant.planner.does(&order, "schedule", window(2)).await.expect(200);
    let refused = plant.supervisor.does(&order, "assign", json!({ "technician": ana })).await.guarded("assignee_free");
    assert_eq!(refused.body["explain"][0]["subject"], plant.orders().await[0].0);
    plant.supervisor.does(&order, "assign", json!({ "technician": ana, "override_booking": true })).await.at("assigned");
}

#[tokio::test]
async fn who_sees_assigned_work_only_is_shown_no_other() {
    let plant = Plant::start().await;
    let (ana, ana_id) = plant.technician("Ana", NEVER).await;
    let mine = plant.assigned(&ana_id).await;
    let other = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    let seen = ana.get("/work-orders").await.expect(200);
    assert_eq!(seen.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(seen.body["data"][0]["id"], mine.id());
    ana.get(&format!("/work-orders/{}", other.id())).await.refuses(404, "not_found");
    assert_eq!(plant.manager.get("/work-orders?filter[status]=draft").await.expect(200).body["data"][0]["id"], other.id());
    plant.manager.get("/work-orders?filter[status]=dreft").await.refuses(400, "bad_filter");
}

#[tokio::test]
async fn pages_of_orders_neither_skip_nor_repeat() {
    let plant = Plant::start().await;
    for _ in 0..5 {
        plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    }
    let (mut seen, mut path) = (Vec::new(), "/work-orders?limit=2".to_owned());
    loop {
        let page = plant.planner.get(&path).await.expect(200).body;
        seen.extend(page["data"].as_array().unwrap().iter().map(|order| order["number"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["page"]["next_cursor"].as_str() else { break };
        path = format!("/work-orders?limit=2&cursor={cursor}");
    }
    let mut numbers: Vec<_> = plant.orders().await.into_iter().map(|(number, _)| number).collect();
    numbers.reverse();
    assert_eq!(seen, numbers);
}

#[tokio::test]
async fn impossible_orders_are_refused_precisely() {
    let plant = Plant::start().await;
    let mut draft = plant.draft();
    draft["order_type"] = json!("repair");
    draft["priority"] = json!("soon");
    let refused = plant.planner.post("/work-orders", draft).await.refuses(422, "validation");
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 2, "{}", refused.body);
    let mut draft = plant.draft();
    draft["site"] = json!("00000000-0000-4000-8000-00000000dead");
    plant.planner.post("/work-orders", draft).await.refuses(404, "not_found");
    let reader = plant.api.role(Role::AssetOwner).await;
    reader.post("/work-orders", plant.draft()).await.refuses(403, "forbidden");
    let order = plant.planner.post("/work-orders", plant.draft()).await.expect(201);
    plant
        .planner
        .send(Method::POST, &format!("/work-orders/{}/actions/submit", order.id()), &[crate::support::JSON, ("idempotency-key", "k")], "{}")
        .await
        .refuses(428, "if_match_missing");
    let order = plant.planner.does(&order, "submit", json!({})).await.at("submitted");
    let order = plant.manager.does(&order, "approve", json!({})).await.at("approved");
    let path = format!("/work-orders/{}", order.id());
    plant.planner.patch(&path, &order.etag(), json!({"estimate_cost": "9000"})).await.refuses(422, "validation");
    plant.planner.patch(&path, &order.etag(), json!({"title": "Replace both fans"})).await.expect(200);
    plant.planner.records(&order, "parts", json!({"part": "Fan", "quantity": "1"})).await.refuses(403, "forbidden");
    plant.manager.records(&order, "parts", json!({"part": "Fan", "quantity": "1"})).await.guarded("under_way");
    plant.manager.get(&format!("{path}/tasks")).await.expect(200);
    plant.manager.records(&order, "comments", json!({"text": " "})).await.refuses(422, "validation");
    plant.manager.records(&order, "comments", json!({"text": "Mind the dog"})).await.expect(201);
    assert_eq!(plant.manager.get(&format!("{path}/comments")).await.expect(200).body[0]["text"], "Mind the dog");
}

#[tokio::test]
async fn a_safety_step_is_skipped_by_a_supervisor_or_not_at_all() {
    let plant = Plant::start().await;
    let (ana, ana_id) = plant.technician("Ana", NEVER).await;
    let order = plant.assigned(&ana_id).await;
    let order = ana.does(&order, "start", json!({"safety_acknowledged": true})).await.at("in_progress");
    let step = json!({"kind": "step", "instruction": "Isolate", "safety_critical": true});
    let task = plant.planner.records(&order, "tasks", step).await.expect(201).id();
    let skip = format!("tasks/{task}/actions/skip");
    ana.records(&order, &skip, json!({})).await.refuses(422, "validation");
    ana.records(&order, &skip, json!({"reason": "no time"})).await.expect(200);
    ana.records(&order, "labour/actions/start", json!({})).await.expect(201);
    ana.records(&order, "labour/actions/start", json!({})).await.refuses(409, "exists");
    let failure = json!({"mode": "FTF", "failed_at": ago(60)});
    ana.records(&order, "failure-reports", json!({"mode": "XYZ", "failed_at": ago(60)})).await.refuses(422, "validation");
    ana.records(&order, "failure-reports", failure).await.expect(201);
    let said = json!({"completion_note": "Done", "no_parts_used": true});
    let refused = ana.does(&order, "complete", said.clone()).await.guarded("safety_skips_supervised");
    assert_eq!(refused.body["explain"].as_array().unwrap().len(), 2, "the labour clock runs too: {}", refused.body);
    plant.supervisor.records(&order, &skip, json!({"reason": "isolated by the grid"})).await.expect(200);
    let order = ana.does(&order, "hold", json!({"hold_reason": "shift_end"})).await.at("on_hold");
    let order = ana.does(&order, "resume", json!({"blocking_cleared": true})).await.at("in_progress");
    let order = ana.does(&order, "complete", said).await.at("completed");
    plant.manager.does(&order, "verify", json!({"quality_checked": true})).await.guarded("failure_coded");
}
