use crate::{
    plant::site_with_class,
    support::{Api, Client},
};
use axum::{body::Body, http::Request};
use dcmms_schemas::access::Role;
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tower::ServiceExt;
use uuid::Uuid;

/// Events of an open view; each within a minute, or the test fails.
struct View {
    body: axum::body::BodyDataStream,
    text: String,
}

impl View {
    async fn open(client: &Client, path: &str, since: Option<&str>) -> View {
        let mut request =
            Request::get(format!("/api/v1{path}")).header("authorization", format!("Bearer {}", client.token.as_deref().unwrap()));
        if let Some(since) = since {
            request = request.header("last-event-id", since);
        }
        let response = client.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        View { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event's name, id and data.
    async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("").to_owned();
                let found = (field("event"), field("id"), serde_json::from_str(&field("data")).unwrap_or_default());
                self.text = rest.to_owned();
                if !found.0.is_empty() {
                    return found;
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.body.next()).await.expect("an event within a minute");
            self.text.push_str(std::str::from_utf8(&chunk.expect("the view is open").unwrap()).unwrap());
        }
    }
}

async fn say(api: &Api, number: i64, value: f64, tick: i64) {
    let mut transaction = api.pool().begin().await.unwrap();
    sqlx::query("insert into derived.latest values ($1, now(), $2, 0, $3) on conflict (point) do update set value = $2, tick = $3")
        .bind(number as i32)
        .bind(value)
        .bind(tick)
        .execute(&mut *transaction)
        .await
        .unwrap();
    sqlx::query("update derived.jobs set durable_tick = $1").bind(tick).execute(&mut *transaction).await.unwrap();
    let payload = json!({"job": "main", "tick": tick}).to_string();
    sqlx::query("select pg_notify('dcmms_durable', $1)").bind(payload).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_view_begins_with_a_snapshot_goes_on_with_changes_and_resumes() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let site = site_with_class(&engineer).await;
    let point = engineer.post("/points", json!({"site": site, "key": "A:ac.power", "kind": "ac.power"})).await.expect(201);
    let number = point.body["number"].as_i64().unwrap();
    sqlx::query("insert into derived.jobs (job) values ('main')").execute(api.pool()).await.unwrap();
    say(&api, number, 1.0, 5).await;
    let listened = Arc::clone(&api.service);
    let listener = tokio::spawn(async move { dcmms_api::live::listen(&listened).await });
    let mut durable = api.service.durable.subscribe();
    tokio::time::timeout(Duration::from_secs(60), durable.wait_for(|tick| *tick == 5)).await.expect("the tick is heard").unwrap();

    let mut view = View::open(&engineer, &format!("/live/latest?site={site}"), None).await;
    let (name, id, data) = view.next().await;
    assert_eq!((name.as_str(), id.as_str(), data["rows"][0]["row"]["value"].as_f64()), ("snapshot", "5", Some(1.0)));
    say(&api, number, 2.0, 6).await;
    let (name, id, data) = view.next().await;
    assert_eq!((name.as_str(), id.as_str()), ("change", "6"));
    let row = &data["rows"][0];
    assert_eq!((&row["key"], &row["weight"], row["row"]["value"].as_f64()), (&json!("A:ac.power"), &json!(1), Some(2.0)));

    let mut resumed = View::open(&engineer, "/live/latest?points=A:ac.power", Some("5")).await;
    let (name, id, _) = resumed.next().await;
    assert_eq!((name.as_str(), id.as_str()), ("change", "6"));
    assert_eq!(engineer.get("/sites").await.expect(200).header("x-logical-time"), "6");
    listener.abort();
}

#[tokio::test]
async fn a_view_of_everything_or_from_nowhere_is_refused() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    engineer.get("/live/latest").await.refuses(400, "too_wide");
    engineer.get("/live/latest?site=here").await.refuses(400, "bad_query");
    let path = format!("/live/latest?site={}", Uuid::nil());
    engineer.send(axum::http::Method::GET, &path, &[("last-event-id", "yesterday")], "").await.refuses(400, "bad_last_event_id");
    let all = api.service.limits.live_clients_max as u32;
    let _taken = Arc::clone(&api.service.live_clients).acquire_many_owned(all).await.unwrap();
    engineer.get(&path).await.refuses(503, "live_full");
}
