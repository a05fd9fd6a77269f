use crate::upkeep::{POINT_KEY, Plant, ago};
use chrono::{TimeDelta, Utc};
use dcmms_api::commands;
use dcmms_schemas::access::Role;
use serde_json::json;

#[tokio::test]
async fn an_order_leads_back_to_the_samples_that_raised_it() {
    let plant = Plant::start().await;
    let onset = ago(30);
    sqlx::raw_sql("create table derived.rollups_1m_all partition of derived.rollups_1m default").execute(plant.api.pool()).await.unwrap();
    sqlx::query(
        "insert into derived.rollups_1m (point, start, n, n_uncertain, n_bad, min, max, mean, tick)
        select $1, start, 60, 0, 0, 60, 70, 66, 4 from generate_series(date_trunc('minute', $2::timestamptz) - interval '20 minutes', $2::timestamptz + interval '20 minutes', '1 minute') start",
    )
    .bind(plant.point)
    .bind(onset)
    .execute(plant.api.pool())
    .await
    .unwrap();
    let alarm = plant.alarm(onset, None, 7).await;
    let command = plant.command(7, plant.raise(alarm, onset, "high")).await;
    commands::pass(&plant.api.service).await.unwrap();
    let order = plant.manager.get("/work-orders").await.expect(200).body["data"][0].clone();
    let path = format!("/lineage/work-orders/{}", order["id"].as_str().unwrap());
    let lineage = plant.manager.get(&path).await.expect(200).body;
    assert_eq!(lineage["order"]["number"], order["number"]);
    assert_eq!(
        (&lineage["command"]["id"], &lineage["command"]["outcome"], &lineage["command"]["tick"]),
        (&json!(command), &json!("done"), &json!(7))
    );
    assert_eq!((&lineage["alarm"][0]["id"], &lineage["rule"]["version"]), (&json!(alarm), &json!(3)));
    assert_eq!(lineage["rule"]["condition"]["limit"], 65);
    assert_eq!(lineage["points"][0]["key"], POINT_KEY);
    let samples = lineage["samples"].as_array().unwrap();
    assert!((20..=22).contains(&samples.len()), "ten minutes before to ten after: {}", samples.len());
    assert!(lineage["prediction"].is_null() && lineage["model"].is_null());
    plant.planner.get(&path).await.refuses(403, "forbidden");
}

#[tokio::test]
async fn a_policy_is_published_in_versions_and_its_clocks_are_explained() {
    let plant = Plant::start().await;
    let admin = plant.api.role(Role::TenantAdmin).await;
    let openings: Vec<_> = (1..=7).map(|weekday| json!({"weekday": weekday, "from": "00:00:00", "to": "00:00:00"})).collect();
    let calendar = admin.post("/calendars", json!({"name": "Always", "zone": "Asia/Kolkata", "openings": openings})).await.expect(201).id();
    let target = json!([{"metric": "respond", "minutes": 240, "pause_reasons": ["weather"], "warn_percent": [50]}]);
    let body = json!({"name": "Contract", "calendar": calendar, "targets": target});
    let policy = admin.post("/sla-policies", body.clone()).await.expect(201);
    admin.post("/sla-policies", body).await.refuses(409, "name_taken");
    let wrong = json!({"name": "Wrong", "calendar": calendar, "targets": [{"metric": "respond", "minutes": 0}]});
    admin.post("/sla-policies", wrong).await.refuses(422, "validation");
    let path = format!("/sla-policies/{}", policy.id());
    let policy = admin.patch(&path, &policy.etag(), json!({"rank": 5})).await.expect(200);
    let events = plant.api.events("policy").await;
    assert_eq!((events.len(), events[1]["version"].as_i64(), events[1]["row"]["rank"].as_i64()), (2, Some(2), Some(5)));
    assert!(
        events[1]["row"]["valid_from"].as_i64() > events[0]["row"]["valid_from"].as_i64(),
        "a new version holds from when it is published"
    );
    let mut draft = plant.draft();
    draft["onset"] = json!(Utc::now() - TimeDelta::hours(1));
    let order = plant.planner.post("/work-orders", draft).await.expect(201);
    sqlx::query(
        "insert into derived.sla_clocks (order_id, metric, from_tick, policy, policy_version, state, started, due, target_s, elapsed_s, explanation)
        values ($1, 'respond', 3, $2, 2, 'running', now(), now() + interval '3 hours', 14400, 3600, '{\"zone\": \"Asia/Kolkata\"}')",
    )
    .bind(uuid::Uuid::parse_str(&order.id()).unwrap())
    .bind(uuid::Uuid::parse_str(&policy.id()).unwrap())
    .execute(plant.api.pool())
    .await
    .unwrap();
    let clocks = plant.manager.get(&format!("/sla-clocks?filter[state]=running&filter[order]={}", order.id())).await.expect(200).body;
    assert_eq!((clocks["data"][0]["policy_name"].as_str(), clocks["data"].as_array().unwrap().len()), (Some("Contract"), 1));
    assert_eq!(plant.manager.get("/sla-clocks?as_of=2").await.expect(200).body["data"], json!([]));
    let explained = plant.manager.get(&format!("/sla-clocks/{}/respond/explain", order.id())).await.expect(200).body;
    assert_eq!((explained["now"]["state"].as_str(), explained["now"]["policy_changed"].as_bool()), (Some("running"), Some(false)));
    let remaining = explained["now"]["remaining_s"].as_i64().unwrap();
    assert!((10_000..=10_800).contains(&remaining), "three of four hours remain: {remaining}");
    plant.manager.get(&format!("/sla-clocks/{}/resolve/explain", order.id())).await.refuses(404, "not_found");
    admin.delete(&path, &policy.etag()).await.expect(204);
    assert_eq!(plant.api.events("policy").await[2]["removed"], true);
}

#[tokio::test]
async fn predictions_and_figures_are_read_as_of_a_tick() {
    let plant = Plant::start().await;
    sqlx::query(
        "insert into derived.predictions (id, from_tick, upto_tick, model, version, site, position, window_start, probability, threshold, contributions, proposes)
        select gen_random_uuid(), nth, case nth when 1 then 2 end, gen_random_uuid(), 1, $1, $2, now() - nth * interval '1 hour', 0.5 + nth / 10.0, 0.6, '[]', nth = 3 from generate_series(1, 3) nth",
    )
    .bind(plant.site)
    .bind(plant.position)
    .execute(plant.api.pool())
    .await
    .unwrap();
    let count = |path: &'static str| async { plant.manager.get(path).await.expect(200).body["data"].as_array().unwrap().len() };
    assert_eq!((count("/predictions").await, count("/predictions?as_of=1").await), (2, 1));
    assert_eq!((count("/predictions?filter[proposes]=true").await, count("/predictions?filter[probability][gte]=0.75").await), (1, 1));
    sqlx::query("insert into derived.compliance (site, month, metric, from_tick, value, numerator, denominator, unit, basis, through) values ($1, '2026-10-01', 'cuf', 4, 0.2, 2, 10, '1', 'AC 8000 kW x 744 h', now())")
        .bind(plant.site)
        .execute(plant.api.pool())
        .await
        .unwrap();
    let figures = plant.manager.get(&format!("/compliance/monthly?site={}&month=2026-10", plant.site)).await.expect(200).body;
    assert_eq!((figures[0]["metric"].as_str(), figures[0]["basis"].as_str()), (Some("cuf"), Some("AC 8000 kW x 744 h")));
    assert_eq!(plant.manager.get("/compliance/monthly?as_of=3").await.expect(200).body, json!([]));
    plant.manager.get("/compliance/monthly?month=October").await.refuses(400, "bad_month");
}
