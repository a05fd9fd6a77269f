use crate::{
    support::{Answer, Client, JSON},
    upkeep::Plant,
};
use axum::http::Method;
use dcmms_schemas::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

async fn does(client: &Client, row: &Answer, verb: &str, body: Value) -> Answer {
    client.act(&format!("/service-requests/{}/actions/{verb}", row.id()), &row.etag(), body).await
}

fn loud(plant: &Plant) -> Value {
    json!({"title": "Loud fan", "text": "It hums", "site": plant.site, "position": plant.position})
}

#[tokio::test]
async fn a_request_becomes_an_order_and_closes_with_it() {
    let plant = Plant::start().await;
    let technician = plant.api.role(Role::FieldTechnician).await;
    let row = technician.post("/service-requests", loud(&plant)).await.expect(201);
    assert!(row.body["number"].as_str().unwrap().starts_with("SR-"));
    does(&technician, &row, "triage", json!({"priority": "high"})).await.refuses(403, "forbidden");
    let refused = does(&plant.planner, &row, "triage", json!({})).await.refuses(409, "service_request.triage.guard");
    assert_eq!(refused.body["guard"], "priority");
    does(&plant.planner, &row, "triage", json!({"priority": "urgent"})).await.refuses(422, "validation");
    let row = does(&plant.planner, &row, "triage", json!({"priority": "high"})).await.expect(200);
    let row =
        plant.planner.patch(&format!("/service-requests/{}", row.id()), &row.etag(), json!({"title": "Very loud fan"})).await.expect(200);
    does(&plant.planner, &row, "convert", json!({})).await.refuses(409, "service_request.convert.state");
    does(&plant.planner, &row, "approve", json!({})).await.refuses(403, "forbidden");
    let row = does(&plant.manager, &row, "approve", json!({})).await.expect(200);
    plant.planner.patch(&format!("/service-requests/{}", row.id()), &row.etag(), json!({"title": "x"})).await.refuses(409, "fixed");
    does(&plant.planner, &row, "convert", json!({"order_type": "magic"})).await.refuses(422, "validation");
    let row = does(&plant.planner, &row, "convert", json!({})).await.expect(200);
    let order = plant.planner.get(&format!("/work-orders/{}", row.body["work_order"].as_str().unwrap())).await.expect(200);
    assert_eq!((order.body["title"].as_str(), order.body["source"].as_str()), (Some("Very loud fan"), Some("request")));
    let refused = does(&plant.planner, &row, "close", json!({})).await.refuses(409, "service_request.close.guard");
    assert_eq!(refused.body["guard"], "order_over");
    sqlx::query("update app.work_orders set status = 'verified'").execute(plant.api.pool()).await.unwrap();
    plant.manager.does(&order, "close", json!({})).await.expect(200);
    let seen = plant.planner.get(&format!("/service-requests/{}", row.id())).await.expect(200);
    assert_eq!(seen.body["status"], "closed");
    let stranger = plant.api.stranger(Role::MaintenancePlanner).await;
    stranger.get(&format!("/service-requests/{}", row.id())).await.refuses(404, "not_found");
    does(&stranger, &row, "convert", json!({})).await.refuses(404, "not_found");
    stranger.post("/service-requests", loud(&plant)).await.refuses(422, "validation");
    assert_eq!(plant.planner.get("/service-requests?filter[status]=closed").await.expect(200).body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn duplicates_are_linked_to_the_first() {
    let plant = Plant::start().await;
    let first = plant.planner.post("/service-requests", loud(&plant)).await.expect(201);
    let second = plant.planner.post("/service-requests", loud(&plant)).await.expect(201);
    let third = plant.planner.post("/service-requests", loud(&plant)).await.expect(201);
    does(&plant.planner, &second, "merge", json!({})).await.refuses(409, "service_request.merge.guard");
    does(&plant.planner, &second, "merge", json!({"duplicate_of": second.id()})).await.refuses(409, "service_request.merge.guard");
    let second = does(&plant.planner, &second, "merge", json!({"duplicate_of": third.id()})).await.expect(200);
    assert_eq!(second.body["status"], "merged");
    does(&plant.planner, &first, "merge", json!({"duplicate_of": second.id()})).await.refuses(409, "service_request.merge.guard");
    let third = does(&plant.planner, &third, "merge", json!({"duplicate_of": first.id()})).await.expect(200);
    assert_eq!(third.body["duplicate_of"], json!(first.id()));
    let first = plant.planner.get(&format!("/service-requests/{}", first.id())).await.expect(200);
    assert_eq!(first.body["duplicates"].as_array().unwrap().len(), 2, "what repeated a duplicate repeats the first");
    does(&plant.planner, &first, "reject", json!({})).await.refuses(409, "service_request.reject.guard");
    does(&plant.planner, &first, "reject", json!({"reason": "it is meant to hum"})).await.expect(200);
}

#[tokio::test]
async fn a_passer_by_asks_by_the_code_on_the_machine() {
    let plant = Plant::start().await;
    plant.supervisor.post(&format!("/positions/{}/portal-token", plant.position), json!({})).await.refuses(403, "forbidden");
    let made = plant.planner.post(&format!("/positions/{}/portal-token", plant.position), json!({})).await.expect(201);
    let path = format!("/portal/{}", made.body["token"].as_str().unwrap());
    let nobody = plant.api.nobody();
    let place = nobody.get(&path).await.expect(200).body;
    assert_eq!(place, json!({"site": "Rajasthan 1", "position": "B03/INV07", "name": "Inverter 7"}), "and nothing else");
    let says = |title: &str| json!({"title": title, "reporter": "Guard at the gate"}).to_string();
    let ask = |path: String, body: String| {
        let nobody = nobody.clone();
        async move { nobody.send(Method::POST, &format!("{path}/requests"), &[JSON], body).await }
    };
    let receipt = ask(path.clone(), says("Smoke")).await.expect(201);
    assert!(receipt.body["number"].as_str().unwrap().starts_with("SR-"));
    ask(path.clone(), says("")).await.refuses(422, "validation");
    ask(path.clone(), json!({"title": "x", "site": plant.site}).to_string()).await.refuses(422, "bad_field");
    ask("/portal/made-up".into(), says("Smoke")).await.refuses(404, "not_found");
    let listed = plant.planner.get("/service-requests?filter[portal]=true").await.expect(200).body;
    assert_eq!(
        (listed["data"][0]["reporter"].as_str(), listed["data"][0]["position"].as_str()),
        (Some("Guard at the gate"), Some(plant.position.to_string().as_str()))
    );
    // However many ask at once, a label takes twenty in an hour.
    let answers = futures::future::join_all((0..30).map(|nth| ask(path.clone(), says(&format!("Smoke {nth}"))))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 19);
    let limited = answers.into_iter().find(|answer| answer.status == 429).unwrap().refuses(429, "rate_limited");
    assert_eq!(limited.header("retry-after"), "600");
    // A new token takes the old one's place.
    plant.planner.post(&format!("/positions/{}/portal-token", plant.position), json!({})).await.expect(201);
    nobody.get(&path).await.refuses(404, "not_found");
    plant.planner.post(&format!("/positions/{}/portal-token", Uuid::nil()), json!({})).await.refuses(404, "not_found");
    plant
        .api
        .stranger(Role::MaintenancePlanner)
        .await
        .post(&format!("/positions/{}/portal-token", plant.position), json!({}))
        .await
        .refuses(404, "not_found");
}
