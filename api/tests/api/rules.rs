use crate::{plant::site_with_class, support::Api};
use dcmms_schemas::{
    access::Role,
    domain::{Event, Row},
    id::ModelId,
    model::{FeatureOf, FeatureSpec, Model},
    time::Moment,
};
use serde_json::{Value, json};
use uuid::Uuid;

fn rule(name: &str, scope: Value, condition: Value) -> Value {
    json!({"name": name, "scope": scope, "version": {"severity": "high", "condition": condition}})
}

fn hot() -> Value {
    json!({"type": "high", "limit": 65.0, "deadband": 3.0, "on_delay_ms": 300_000})
}

#[tokio::test]
async fn a_rule_has_versions_and_the_engine_hears_of_each() {
    let api = Api::start().await;
    let engineer = api.role(Role::ReliabilityEngineer).await;
    site_with_class(&api.role(Role::SiteEngineer).await).await;
    let scope = json!({"class": "inverter", "kind": "inv.temp.cabinet"});
    let mut first = rule("Cabinet hot", scope, hot());
    first["version"]["order"] = json!({"order_type": "corrective", "priority": "high", "title": "Check the fan"});
    let made = engineer.post("/rules", first.clone()).await.expect(201);
    assert_eq!((&made.body["group"], &made.body["versions"][0]["version"]), (&json!("high"), &json!(1)));
    engineer.post("/rules", first).await.refuses(409, "name_taken");

    let path = format!("/rules/{}", made.id());
    let versions = format!("{path}/versions");
    let next = json!({"severity": "critical", "condition": {"type": "high", "limit": 70.0}});
    let second = engineer.act(&versions, "\"v1\"", next.clone()).await.expect(201);
    assert_eq!((second.etag().as_str(), second.body["versions"].as_array().unwrap().len()), ("\"v2\"", 2));
    engineer.act(&versions, "\"v1\"", next.clone()).await.refuses(412, "stale_version");
    engineer.put(&versions, "\"v2\"", next).await.expect(200);
    let early = json!({"severity": "low", "condition": hot(), "valid_from": "2001-01-01T00:00:00Z"});
    engineer.put(&versions, "\"v3\"", early).await.refuses(422, "validation");
    engineer.patch(&path, "\"v3\"", json!({"name": "Cabinet too hot"})).await.expect(200);
    engineer.delete(&path, "\"v4\"").await.expect(204);
    engineer.get(&path).await.refuses(404, "not_found");

    let events: Vec<Event> = api.events("rule").await.into_iter().map(|event| serde_json::from_value(event).unwrap()).collect();
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let Row::Rule(last) = &events[4].row else { panic!("{:?}", events[4]) };
    assert!(!last.versions.last().unwrap().enabled && last.versions.len() == 4 && last.name == "Cabinet too hot");
    assert!(!events[4].removed, "the past of a rule stays");
}

#[tokio::test]
async fn a_rule_that_says_nothing_or_nonsense_is_refused_with_the_place() {
    let api = Api::start().await;
    let engineer = api.role(Role::ReliabilityEngineer).await;
    let site = site_with_class(&api.role(Role::SiteEngineer).await).await;
    let kind = json!({"kind": "ac.power"});
    for (scope, condition, pointer) in [
        (json!({}), hot(), "/scope"),
        (json!({"point": "nowhere"}), hot(), "/scope/point"),
        (json!({"site": Uuid::nil()}), hot(), "/scope/site"),
        (json!({"class": "rocket"}), hot(), "/scope/class"),
        (json!({"kind": "colour"}), hot(), "/scope/kind"),
        (kind.clone(), json!({"type": "high"}), "/version/condition"),
        (kind.clone(), json!({"type": "warm", "limit": 1}), "/version/condition"),
        (kind.clone(), json!({"type": "high", "limit": 1, "on_delay": 5}), "/version/condition/on_delay"),
        (kind.clone(), json!({"type": "low", "limit": 1, "deadband": -1}), "/version/condition/deadband"),
        (kind.clone(), json!({"type": "low", "limit": 1, "off_delay_ms": -1}), "/version/condition/off_delay_ms"),
        (kind.clone(), json!({"type": "stale", "after_ms": 0}), "/version/condition/after_ms"),
        (kind.clone(), json!({"type": "rate", "limit_per_s": 0}), "/version/condition/limit_per_s"),
        (kind.clone(), json!("hot"), "/version/condition"),
    ] {
        let answer = engineer.post("/rules", rule("R", scope, condition)).await.refuses(422, "validation");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    let mut with_order = rule("R", kind, hot());
    with_order["version"]["order"] = json!({"order_type": "party", "priority": "soon", "title": ""});
    let answer = engineer.post("/rules", with_order).await.refuses(422, "validation");
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 3, "{}", answer.body);
    assert!(api.events("rule").await.is_empty());

    engineer.post("/rules", rule("Site", json!({"site": site}), json!({"type": "stale", "after_ms": 600_000}))).await.expect(201);
    assert_eq!(engineer.get(&format!("/rules?filter[site]={site}")).await.expect(200).body["data"].as_array().unwrap().len(), 1);
    engineer.get("/rules?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get(&format!("/rules/{}", Uuid::nil())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_calendar_reckons_business_time_around_holidays() {
    let api = Api::start().await;
    let admin = api.role(Role::TenantAdmin).await;
    let weekdays: Vec<_> = (1..=5).map(|weekday| json!({"weekday": weekday, "from": "09:00:00", "to": "17:00:00"})).collect();
    let input = json!({"name": "Office", "zone": "Asia/Kolkata", "openings": weekdays});
    let made = admin.post("/calendars", input.clone()).await.expect(201);
    admin.post("/calendars", input).await.refuses(409, "name_taken");
    let path = format!("/calendars/{}", made.id());
    // Monday and Tuesday, in a zone five and a half hours ahead.
    let span = format!("{path}/business-time?from=2026-11-15T18:30:00Z&to=2026-11-17T18:30:00Z");
    let time = admin.get(&span).await.expect(200);
    assert_eq!((&time.body["business_s"], time.body["intervals"].as_array().unwrap().len()), (&json!(16 * 3_600), 2));
    let holidays = json!({"holidays": [{"date": "2026-11-17", "name": "Founder's day"}]});
    let changed = admin.put(&format!("{path}/holidays"), "\"v1\"", holidays).await.expect(200);
    assert_eq!((changed.etag().as_str(), &changed.body["holidays"][0]["name"]), ("\"v2\"", &json!("Founder's day")));
    assert_eq!(admin.get(&span).await.expect(200).body["business_s"], 8 * 3_600);
    admin.get(&format!("{path}/business-time?from=2026-11-17T00:00:00Z&to=2026-11-16T00:00:00Z")).await.refuses(400, "bad_span");
    admin.get(&format!("{path}/business-time?from=yesterday&to=today")).await.refuses(400, "bad_query");

    admin.patch(&path, "\"v1\"", json!({"zone": "UTC"})).await.refuses(412, "stale_version");
    admin.patch(&path, "\"v2\"", json!({"zone": "UTC"})).await.expect(200);
    assert_eq!(api.events("calendar").await[2]["row"]["holidays"].as_array().unwrap().len(), 1);
    admin.delete(&path, "\"v3\"").await.expect(204);
    admin.get(&path).await.refuses(404, "not_found");
    assert_eq!(api.events("calendar").await[3]["removed"], true);
}

#[tokio::test]
async fn a_calendar_that_is_none_is_refused() {
    let api = Api::start().await;
    let admin = api.role(Role::TenantAdmin).await;
    let opening = |weekday: u8, from: &str, to: &str| json!({"weekday": weekday, "from": from, "to": to});
    for (input, pointer) in [
        (json!({"name": "A", "zone": "UTC", "openings": []}), "/openings"),
        (json!({"name": "A", "zone": "UTC", "openings": [opening(8, "09:00:00", "10:00:00")]}), "/openings"),
        (json!({"name": "A", "zone": "Nowhere", "openings": [opening(1, "09:00:00", "10:00:00")]}), "/zone"),
        (json!({"name": "", "zone": "UTC", "openings": [opening(1, "09:00:00", "10:00:00")]}), "/name"),
    ] {
        let answer = admin.post("/calendars", input).await.refuses(422, "validation");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    let answer = admin.post("/calendars", json!({"name": "A", "zone": "UTC", "openings": [opening(1, "9 o'clock", "10:00:00")]})).await;
    assert_eq!(answer.refuses(422, "bad_field").body["errors"][0]["pointer"], "/openings/0/from");
    admin.get("/calendars?cursor=zz").await.refuses(400, "bad_cursor");
}

fn model(threshold: f64) -> Model {
    Model {
        id: ModelId(Uuid::nil()),
        version: 0,
        name: "Fan failure".into(),
        class: "inverter".into(),
        features: vec![FeatureSpec { name: "heat".into(), kind: "inv.temp.cabinet".into(), of: FeatureOf::PeerDifference }],
        means: vec![0.0],
        scales: vec![1.0],
        coefficients: vec![2.0],
        intercept: -1.0,
        threshold,
        hours: 3,
        horizon_hours: 72,
        failure: "cooling fan".into(),
        valid_from: Moment(0),
    }
}

#[tokio::test]
async fn training_publishes_versions_of_a_model() {
    let api = Api::start().await;
    let tenant = dcmms_api::accounts::TENANT_DEFAULT;
    let mut connection = api.pool().acquire().await.unwrap();
    let (first, _) = dcmms_api::models::publish(&mut connection, tenant, model(0.5), &json!({"rows": 10})).await.unwrap();
    let (second, _) = dcmms_api::models::publish(&mut connection, tenant, model(0.6), &json!({"rows": 20})).await.unwrap();
    assert_eq!((first.id, first.version, second.version), (second.id, 1, 2));
    let broken = Model { means: vec![], ..model(0.5) };
    assert_eq!(dcmms_api::models::publish(&mut connection, tenant, broken, &json!({})).await.unwrap_err().status, 422);
    let engineer = api.role(Role::ReliabilityEngineer).await;
    let shown = engineer.get(&format!("/models/{}", first.id)).await.expect(200);
    assert_eq!((&shown.body["artifact"]["threshold"], &shown.body["training"]["rows"]), (&json!(0.6), &json!(20)));
    assert_eq!(engineer.get("/models").await.expect(200).body["data"].as_array().unwrap().len(), 1);
    engineer.get("/models?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get(&format!("/models/{}", Uuid::nil())).await.refuses(404, "not_found");
    assert_eq!(api.events("model").await.len(), 2);
}
