use crate::support::{Api, JSON, site};
use axum::http::Method;
use dcmms_api::{
    gate::{Door, Effect},
    router,
};
use dcmms_schemas::access::Role;
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The routes that name no feature, and there is no other.
const WITHOUT_FEATURE: [&str; 8] = [
    "GET /api/v1/me",
    "GET /api/v1/portal/{token}",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/logout",
    "POST /api/v1/portal/{token}/requests",
];

#[test]
fn every_route_names_its_feature() {
    let mut without: Vec<_> = router::table().into_iter().filter(|route| !matches!(route.gate.door, Door::Feature(..))).collect();
    without.sort_by_key(|route| format!("{} {}", route.method, route.path));
    let names: Vec<_> = without.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(names, WITHOUT_FEATURE);
}

#[test]
fn every_served_route_is_in_the_document_and_no_other() {
    let document = serde_json::to_value(dcmms_api::document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut documented = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path} repeats an operation id");
            assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path} says nothing of itself");
        }
    }
    let served: BTreeSet<_> = router::table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(served, documented);
}

#[test]
fn references_in_the_document_lead_somewhere() {
    let document = serde_json::to_value(dcmms_api::document()).unwrap();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "schema {name} is not in the document");
    }
}

#[test]
fn what_changes_something_is_guarded() {
    for route in router::table() {
        let (gate, name) = (route.gate, format!("{} {}", route.method, route.path));
        match route.method.as_str() {
            "GET" => assert_eq!(gate.effect, Effect::None, "{name}"),
            "PATCH" | "PUT" | "DELETE" => assert!(gate.conditional && gate.effect != Effect::None, "{name}"),
            // Nobody to keep a key for: what they repeat is merged by whoever looks at it.
            "POST" if name == "POST /api/v1/portal/{token}/requests" => {}
            _ if matches!(name.as_str(), "POST /api/v1/auth/login" | "POST /api/v1/auth/logout" | "POST /api/v1/telemetry") => {}
            _ => assert_eq!(gate.effect, Effect::Once, "{name}"),
        }
    }
}

/// A path with something in place of each parameter.
fn example(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { Uuid::nil().to_string() } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_token_no_answer() {
    let api = Api::start().await;
    for route in router::table().into_iter().filter(|route| route.gate.door != Door::Open) {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        api.nobody().send(method, &example(&route.path), &[], "").await.refuses(401, "unauthenticated");
    }
    let mut stranger = api.nobody();
    stranger.token = Some("dcs_made_up".into());
    stranger.get("/sites").await.refuses(401, "unauthenticated");
}

#[tokio::test]
async fn a_role_without_the_feature_is_refused_on_every_route() {
    let api = Api::start().await;
    for role in Role::ALL {
        let client = api.role(role).await;
        for route in router::table() {
            let Door::Feature(feature, need) = route.gate.door else { continue };
            if feature.letter(role).allows(need) {
                continue;
            }
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            let answer = client.send(method, &example(&route.path), &[], "").await.refuses(403, "forbidden");
            assert!(answer.body["detail"].as_str().unwrap().contains(&feature.code()));
        }
    }
}

#[tokio::test]
async fn changing_routes_demand_if_match_and_making_routes_a_key() {
    let api = Api::start().await;
    for route in router::table() {
        let Door::Feature(feature, need) = route.gate.door else { continue };
        let role = Role::ALL.into_iter().find(|role| feature.letter(*role).allows(need)).unwrap();
        let client = api.role(role).await;
        let (method, path) = (Method::from_bytes(route.method.as_bytes()).unwrap(), example(&route.path));
        if route.gate.conditional {
            client.send(method.clone(), &path, &[JSON], "{}").await.refuses(428, "if_match_missing");
            for tag in ["v1", "\"1\"", "W/\"v1\"", "*", "\"v-1\""] {
                client.send(method.clone(), &path, &[JSON, ("if-match", tag)], "{}").await.refuses(400, "bad_if_match");
            }
        }
        if route.gate.effect == Effect::Once {
            client.send(method, &path, &[JSON, ("if-match", "\"v1\"")], "{}").await.refuses(400, "idempotency_key_missing");
        }
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_not_done_again() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let first = engineer.post_as("key", "/sites", site("RJ01")).await.expect(201);
    let again = engineer.post_as("key", "/sites", site("RJ01")).await.expect(201);
    assert_eq!(
        (again.bytes.clone(), again.etag(), again.header("location")),
        (first.bytes.clone(), first.etag(), first.header("location"))
    );
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(api.events("site").await.len(), 1);
    engineer.post_as("key", "/sites", site("RJ02")).await.refuses(422, "idempotency_mismatch");
    // Another one's key is another key.
    api.role(Role::PlantManager).await.post_as("key", "/sites", site("RJ02")).await.expect(201);
    // After 72 hours it is free again.
    sqlx::query("update app.idempotency_keys set created_at = now() - interval '73 hours'").execute(api.pool()).await.unwrap();
    engineer.post_as("key", "/sites", site("RJ03")).await.expect(201);
}

#[tokio::test]
async fn a_refused_request_may_be_repeated_with_its_key() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    engineer.post_as("key", "/sites", json!({"code": "RJ01", "name": "", "zone": "UTC"})).await.refuses(422, "validation");
    engineer.post_as("key", "/sites", site("RJ01")).await.expect(201);
}

#[tokio::test]
async fn while_a_request_runs_its_key_is_busy() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let id: Uuid = engineer.get("/me").await.expect(200).id().parse().unwrap();
    let mut other = api.pool().begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 7))")
        .bind(format!("{}/key:{id}/key", dcmms_api::accounts::TENANT_DEFAULT))
        .execute(&mut *other)
        .await
        .unwrap();
    engineer.post_as("key", "/sites", site("RJ01")).await.refuses(409, "idempotency_running");
    other.rollback().await.unwrap();
    engineer.post_as("key", "/sites", site("RJ01")).await.expect(201);
}

#[tokio::test]
async fn two_who_saw_the_same_do_not_both_change_it() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let made = engineer.post("/sites", site("RJ01")).await.expect(201);
    let path = format!("/sites/{}", made.id());
    let (one, two) = (json!({"name": "one"}), json!({"name": "two"}));
    let (one, two) = tokio::join!(engineer.patch(&path, "\"v1\"", one), engineer.patch(&path, "\"v1\"", two));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let stale = engineer.patch(&path, "\"v1\"", json!({"name": "three"})).await.refuses(412, "stale_version");
    assert!(stale.body["detail"].as_str().unwrap().contains("\"v2\""));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_where() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let headers = [JSON, ("idempotency-key", "k")];
    let broken = engineer.send(Method::POST, "/sites", &headers, "{\"code\": \"RJ01\",\n  \"name\": }").await.refuses(400, "bad_json");
    assert!(broken.body["detail"].as_str().unwrap().contains("line 2"), "{}", broken.body);
    let field = engineer.post("/sites", json!({"code": 5, "name": "x", "zone": "UTC"})).await.refuses(422, "bad_field");
    assert_eq!(field.body["errors"][0]["pointer"], "/code");
    engineer.post("/sites", json!({"code": "A", "name": "x", "zone": "UTC", "colour": "red"})).await.refuses(422, "bad_field");
    engineer.send(Method::POST, "/sites", &[("idempotency-key", "k")], "{}").await.refuses(415, "media_type");
    let long = "x".repeat(api.service.limits.body_bytes_max + 1);
    engineer.send(Method::POST, "/sites", &headers, long).await.refuses(413, "body_too_large");
}

#[tokio::test]
async fn every_answer_carries_its_request_and_the_logical_time() {
    let api = Api::start().await;
    api.service.durable.send_replace(42);
    let named = api.nobody().send(Method::GET, "/nowhere", &[("x-request-id", "mine")], "").await.refuses(404, "not_found");
    assert_eq!(
        (named.header("x-request-id"), named.header("x-logical-time"), &named.body["correlation_id"]),
        ("mine", "42", &json!("mine"))
    );
    let unnamed = api.nobody().get("/me").await.refuses(401, "unauthenticated");
    assert_eq!(unnamed.header("x-request-id").len(), 36);
    api.nobody().send(Method::PUT, "/me", &[], "").await.refuses(405, "method_not_allowed");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let made = engineer.post("/sites", site("RJ01")).await.expect(201);
    let path = format!("/sites/{}", made.id());
    let same = engineer.send(Method::GET, &path, &[("if-none-match", "\"v1\"")], "").await.expect(304);
    assert!(same.bytes.is_empty() && same.etag() == "\"v1\"");
    engineer.send(Method::GET, &path, &[("if-none-match", "\"v0\"")], "").await.expect(200);
}

#[tokio::test]
async fn health_says_what_is_so() {
    let api = Api::start().await;
    let nobody = api.nobody();
    let raw = |path: &'static str| axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(nobody.request(raw("/healthz")).await.expect(200).body["status"], "ok");
    assert_eq!(nobody.request(raw("/readyz")).await.expect(200).body["status"], "ready");
    nobody.request(raw("/metrics")).await.refuses(404, "not_found");
    assert_eq!(nobody.request(raw("/openapi.json")).await.expect(200).body["info"]["title"], "dCMMS");
    let page = nobody.request(raw("/docs/index.html")).await.expect(200);
    assert!(String::from_utf8_lossy(&page.bytes).contains("swagger-ui"));
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(api.pool())
        .await
        .unwrap();
    nobody.request(raw("/readyz")).await.refuses(503, "dependency_unavailable");
}
