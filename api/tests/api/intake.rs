use crate::support::{Api, Client};
use axum::http::Method;
use dcmms_schemas::access::Role;
use std::sync::atomic::Ordering;

async fn send(client: &Client, media: &str, body: impl Into<String>) -> crate::support::Answer {
    client.send(Method::POST, "/telemetry", &[("content-type", media)], body.into()).await
}

#[tokio::test]
async fn lines_go_to_the_broker_by_point_and_the_others_are_listed() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let body = concat!(
        "{\"point\":\"B:x\",\"ts\":1000,\"value\":1.5}\n",
        "\n",
        "{\"point\":\"A:x\",\"ts\":1000,\"value\":2,\"seq\":1}\n",
        "{\"point\":\"A:x\",\"ts\":\"soon\",\"value\":2}\n",
        "{\"point\":\"A:x\",\"ts\":2000,\"value\":3}",
    );
    let receipt = send(&engineer, "application/x-ndjson", body).await.expect(200);
    assert_eq!((&receipt.body["accepted"], &receipt.body["refused"]), (&3.into(), &1.into()));
    assert_eq!((&receipt.body["errors"][0]["line"], &receipt.body["errors"][0]["code"]), (&4.into(), &"bad_time".into()));
    let sent = api.broker.sent.lock().unwrap().clone();
    let said: Vec<_> = sent
        .iter()
        .map(|(topic, message)| (topic.as_str(), message.key.as_str(), std::str::from_utf8(&message.payload).unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            ("dcmms.telemetry", "A:x", r#"[{"point":"A:x","ts":1000,"value":2,"seq":1},{"point":"A:x","ts":2000,"value":3}]"#),
            ("dcmms.telemetry", "B:x", r#"{"point":"B:x","ts":1000,"value":1.5}"#),
        ]
    );
}

#[tokio::test]
async fn an_array_will_do_and_nonsense_will_not() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let json = "application/json; charset=utf-8";
    let receipt = send(&engineer, json, r#"[{"point":"A","ts":1,"value":1},{"point":"A"}]"#).await.expect(200);
    assert_eq!((&receipt.body["accepted"], &receipt.body["errors"][0]["line"]), (&1.into(), &2.into()));
    send(&engineer, json, r#"{"point":"A","ts":1,"value":1}"#).await.expect(200);
    send(&engineer, json, "[{").await.refuses(400, "bad_json");
    send(&engineer, json, "[]").await.refuses(400, "empty");
    send(&engineer, "application/x-ndjson", "\n\n").await.refuses(400, "empty");
    send(&engineer, "application/x-ndjson", "{\"point\":\"A\"}\nhello").await.refuses(422, "validation");
    send(&engineer, "text/csv", "A,1,1").await.refuses(415, "media_type");
    let long = " ".repeat(api.service.limits.telemetry_bytes_max + 1);
    send(&engineer, "application/x-ndjson", long).await.refuses(413, "body_too_large");
    // More than other bodies may have.
    let line = "{\"point\":\"A\",\"ts\":1,\"value\":1}\n";
    send(&engineer, "application/x-ndjson", line.repeat(2 * api.service.limits.body_bytes_max / line.len())).await.expect(200);
}

#[tokio::test]
async fn while_the_broker_is_down_nothing_is_taken() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    api.broker.down.store(true, Ordering::SeqCst);
    let line = "{\"point\":\"A\",\"ts\":1,\"value\":1}";
    let refused = send(&engineer, "application/x-ndjson", line).await.refuses(503, "dependency_unavailable");
    assert_eq!(refused.header("retry-after"), "2");
    api.broker.down.store(false, Ordering::SeqCst);
    send(&engineer, "application/x-ndjson", line).await.expect(200);
}
