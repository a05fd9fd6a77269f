use crate::upkeep::{POINT_KEY, Plant, ago};
use chrono::{TimeDelta, Utc};
use dcmms_schemas::access::Role;
use serde_json::{Value, json};

/// Id and letter of each alarm of a list.
fn letters(body: &Value) -> Vec<(String, String)> {
    let letter = |alarm: &Value| (alarm["id"].as_str().unwrap().to_owned(), alarm["state"].as_str().unwrap().to_owned());
    body["data"].as_array().unwrap().iter().map(letter).collect()
}

#[tokio::test]
async fn an_alarm_is_acknowledged_once_and_shelved_for_a_while() {
    let plant = Plant::start().await;
    let operator = plant.api.role(Role::ControlRoomOperator).await;
    let (active, returned) = (plant.alarm(ago(10), None, 5).await, plant.alarm(ago(50), Some(ago(40)), 5).await);
    let all = operator.get("/alarms").await.expect(200);
    assert_eq!(letters(&all.body), [(active.to_string(), "B".into()), (returned.to_string(), "D".into())]);
    assert_eq!(
        (all.body["data"][0]["rule_name"].as_str(), all.body["data"][0]["point_key"].as_str()),
        (Some("Cabinet hot"), Some(POINT_KEY))
    );
    let path = format!("/alarms/{active}");
    let alarm = operator.get(&path).await.expect(200);
    assert_eq!(alarm.etag(), "\"v0\"");
    let acked = operator.act(&format!("{path}/actions/ack"), &alarm.etag(), json!({"comment": "fan"})).await.expect(200);
    assert_eq!(acked.body["state"], "C");
    operator.act(&format!("{path}/actions/ack"), &alarm.etag(), json!({})).await.refuses(412, "stale_version");
    operator.act(&format!("{path}/actions/ack"), &acked.etag(), json!({})).await.guarded("unacked");
    let shelve = format!("{path}/actions/shelve");
    let until = |hours: i64| json!({"until": Utc::now() + TimeDelta::hours(hours), "reason": "cleaning"});
    operator.act(&shelve, &acked.etag(), until(7 * 24 + 1)).await.refuses(422, "validation");
    operator.act(&shelve, &acked.etag(), until(-1)).await.refuses(422, "validation");
    operator.act(&format!("{path}/actions/unshelve"), &acked.etag(), json!({})).await.guarded("shelved");
    let shelved = operator.act(&shelve, &acked.etag(), until(2)).await.expect(200);
    assert_eq!(shelved.body["state"], "G");
    assert_eq!(letters(&operator.get("/alarms?filter[state]=G").await.body), [(active.to_string(), "G".into())]);
    assert_eq!(letters(&operator.get("/alarms?filter[state]=B,C,D").await.body), [(returned.to_string(), "D".into())]);
    let back = operator.act(&format!("{path}/actions/unshelve"), &shelved.etag(), json!({})).await.expect(200);
    assert_eq!(back.body["state"], "C");
    plant.planner.act(&shelve, &back.etag(), until(2)).await.refuses(403, "forbidden");
    operator.get("/alarms?filter[state]=Z").await.refuses(400, "bad_filter");
}

#[tokio::test]
async fn a_list_of_alarms_is_true_as_of_a_tick() {
    let plant = Plant::start().await;
    let operator = plant.api.role(Role::ControlRoomOperator).await;
    let (first, second) = (plant.alarm(ago(30), None, 5).await, plant.alarm(ago(20), None, 8).await);
    plant.retract(first, 9).await;
    let ids = |body: &Value| letters(body).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(&operator.get("/alarms").await.body), [second.to_string()]);
    assert_eq!(ids(&operator.get("/alarms?as_of=7").await.body), [first.to_string()]);
    assert_eq!(ids(&operator.get("/alarms?as_of=8").await.body), [second.to_string(), first.to_string()]);
    assert_eq!(ids(&operator.get("/alarms?as_of=4").await.body), [] as [String; 0]);
    let read = operator.get(&format!("/alarms/{first}")).await.expect(200);
    assert_eq!(read.body["retracted"], true);
    operator.act(&format!("/alarms/{first}/actions/ack"), "\"v0\"", json!({})).await.guarded("alarm_current");
    operator.get(&format!("/alarms/{}", uuid::Uuid::new_v4())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn filters_and_pages_of_alarms() {
    let plant = Plant::start().await;
    let operator = plant.api.role(Role::ControlRoomOperator).await;
    for minutes in [10, 20, 30] {
        plant.alarm(ago(minutes), Some(ago(minutes - 5)), 1).await;
    }
    let first = operator.get("/alarms?limit=2").await.expect(200).body;
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let second = operator.get(&format!("/alarms?limit=2&cursor={cursor}")).await.expect(200).body;
    assert_eq!((letters(&first).len(), letters(&second).len()), (2, 1));
    let (from, to) = (ago(27).to_rfc3339().replace('+', "%2B"), ago(18).to_rfc3339().replace('+', "%2B"));
    assert_eq!(letters(&operator.get(&format!("/alarms?from={from}&to={to}")).await.expect(200).body).len(), 2);
    assert_eq!(letters(&operator.get("/alarms?filter[severity]=low").await.body), []);
    assert_eq!(letters(&operator.get(&format!("/alarms?filter[site]={}&filter[point]={POINT_KEY}", plant.site)).await.body).len(), 3);
}

#[tokio::test]
async fn an_alarm_has_one_open_order() {
    let plant = Plant::start().await;
    let alarm = plant.alarm(ago(10), None, 5).await;
    let path = format!("/alarms/{alarm}/actions/create-work-order");
    let order = plant.manager.post(&path, json!({})).await.expect(201);
    assert_eq!(
        (order.body["status"].as_str(), order.body["source"].as_str(), order.body["priority"].as_str()),
        (Some("draft"), Some("alarm"), Some("high"))
    );
    plant.manager.post(&path, json!({})).await.guarded("no_open_order");
    plant.manager.does(&order, "cancel", json!({"reason": "false alarm"})).await.at("cancelled");
    plant.manager.post(&path, json!({"priority": "soon"})).await.refuses(422, "validation");
    plant.manager.post(&path, json!({"title": "Look again"})).await.expect(201);
}
