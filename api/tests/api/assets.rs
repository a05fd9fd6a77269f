use crate::{
    support::{Answer, Api, Client, site},
    upkeep::Plant,
};
use dcmms_schemas::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

async fn model(engineer: &Client) -> String {
    engineer.post("/asset-classes", json!({"code": "inverter", "name": "Inverter"})).await.expect(201);
    let model = json!({"manufacturer": "Sungrow", "model": "SG250HX", "class": "inverter", "rated_kw": 250.0});
    engineer.post("/asset-models", model).await.expect(201).id()
}

async fn asset(engineer: &Client, model: &str, serial: &str) -> Answer {
    engineer.post("/assets", json!({"model": model, "serial_no": serial})).await.expect(201)
}

async fn does(client: &Client, row: &Answer, verb: &str, body: Value) -> Answer {
    client.act(&format!("/assets/{}/actions/{verb}", row.id()), &row.etag(), body).await
}

#[tokio::test]
async fn an_asset_lives_from_plan_to_retirement() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let model = model(&engineer).await;
    let row = asset(&engineer, &model, "SN1").await;
    assert_eq!((row.body["status"].as_str(), row.body["class"].as_str()), (Some("planned"), Some("inverter")));
    let refused = does(&engineer, &row, "accept", json!({})).await.refuses(409, "asset.accept.state");
    assert_eq!(refused.body["explain"][0]["allowed"], json!(["procure"]));
    does(&engineer, &row, "procure", json!({})).await.refuses(409, "asset.procure.guard");
    let row = does(&engineer, &row, "procure", json!({"reason": "PO-2026-000001 line 1"})).await.expect(200);
    let refused = does(&engineer, &row, "start-install", json!({})).await.refuses(409, "asset.start_install.guard");
    assert_eq!(refused.body["guard"], "position_named");
    does(&engineer, &row, "start-install", json!({"position": Uuid::nil()})).await.refuses(422, "validation");
    does(&engineer, &row, "start-install", json!({"position": plant.position, "at": "2999-01-01T00:00:00Z"}))
        .await
        .refuses(422, "validation");
    let row = does(&engineer, &row, "start-install", json!({"position": plant.position})).await.expect(200);
    assert_eq!(row.body["position_code"], "B03/INV07");

    // The place is taken now.
    let second = asset(&engineer, &model, "SN2").await;
    let second = does(&engineer, &second, "procure", json!({"reason": "donated"})).await.expect(200);
    let refused = does(&engineer, &second, "start-install", json!({"position": plant.position})).await;
    assert_eq!(refused.refuses(409, "asset.start_install.guard").body["guard"], "position_free");

    does(&engineer, &row, "start-commissioning", json!({})).await.refuses(409, "asset.start_commissioning.guard");
    let row = does(&engineer, &row, "start-commissioning", json!({"checklist_complete": true})).await.expect(200);
    let refused = does(&engineer, &row, "accept", json!({})).await.refuses(409, "asset.accept.guard");
    assert_eq!(refused.body["explain"].as_array().unwrap().len(), 2, "tests and baseline are said at once");
    let row = does(&engineer, &row, "accept", json!({"tests_passed": true, "baseline_stored": true})).await.expect(200);
    assert!(row.body["in_service_on"].is_string());

    // A supervisor says that it failed, but does not take it down.
    let row = does(&plant.supervisor, &row, "fail", json!({"reason": "no output"})).await.expect(200);
    does(&plant.supervisor, &row, "start-decommission", json!({})).await.refuses(403, "forbidden");
    does(&engineer, &row, "start-work", json!({})).await.refuses(409, "asset.work_started.guard");
    sqlx::query("insert into app.work_orders (number, order_type, title, site_id, position_id, onset, requires_outage, status) values ('WO-1', 'corrective', 'Fan', $1, $2, now(), true, 'in_progress')")
        .bind(plant.site).bind(plant.position).execute(plant.api.pool()).await.unwrap();
    let row = does(&engineer, &row, "start-work", json!({})).await.expect(200);
    let refused = does(&engineer, &row, "verify-work", json!({"tests_passed": true})).await.refuses(409, "asset.work_verified.guard");
    assert_eq!(refused.body["explain"][0]["reason"], "WO-1 is in progress");
    sqlx::query("update app.work_orders set status = 'completed'").execute(plant.api.pool()).await.unwrap();
    let row = does(&engineer, &row, "verify-work-degraded", json!({"reason": "one string out"})).await.expect(200);
    does(&engineer, &row, "start-decommission", json!({})).await.refuses(409, "asset.start_decommission.guard");
    sqlx::query("update app.work_orders set status = 'closed'").execute(plant.api.pool()).await.unwrap();
    let row = does(&engineer, &row, "restore", json!({})).await.expect(200);
    let row = does(&engineer, &row, "derate", json!({"reason": "hot"})).await.expect(200);
    let row = does(&engineer, &row, "start-decommission", json!({})).await.expect(200);
    engineer.delete(&format!("/assets/{}", row.id()), &row.etag()).await.refuses(409, "in_use");
    let row = does(&engineer, &row, "complete-removal", json!({"checklist_complete": true})).await.expect(200);
    assert_eq!(row.body["position"], Value::Null);
    let row = does(&engineer, &row, "reuse", json!({"tests_passed": true})).await.expect(200);
    let stays = engineer.get(&format!("/assets/{}/installations", row.id())).await.expect(200).body;
    assert!(stays[0]["to_at"].is_string(), "{stays}");
    // Its place is free for the other one.
    does(&engineer, &second, "start-install", json!({"position": plant.position})).await.expect(200);
    let stays = engineer.get(&format!("/positions/{}/history", plant.position)).await.expect(200).body;
    assert_eq!(stays.as_array().unwrap().len(), 2);

    let history = plant.manager.get(&format!("/history/asset_items/{}?limit=2", row.id())).await.expect(200).body;
    assert_eq!((history["data"][0]["event"].as_str(), history["page"]["has_more"].as_bool()), (Some("reuse"), Some(true)));
    let next = history["page"]["next_cursor"].as_str().unwrap();
    let more = plant.manager.get(&format!("/history/asset_items/{}?cursor={next}", row.id())).await.expect(200).body;
    assert_eq!(more["data"].as_array().unwrap().last().unwrap()["event"], "create");
    plant.manager.get(&format!("/history/asset_items/{}?cursor=00", row.id())).await.refuses(400, "bad_cursor");
}

#[tokio::test]
async fn a_retired_asset_is_over_and_a_planned_one_can_be_archived() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let model = model(&engineer).await;
    let row = asset(&engineer, &model, "SN1").await;
    engineer.delete(&format!("/asset-models/{model}"), "\"v1\"").await.refuses(409, "in_use");
    engineer.delete(&format!("/assets/{}", row.id()), "\"v1\"").await.expect(204);
    engineer.get(&format!("/assets/{}", row.id())).await.refuses(404, "not_found");
    engineer.delete(&format!("/asset-models/{model}"), "\"v1\"").await.expect(204);
    let again =
        engineer.post("/asset-models", json!({"manufacturer": "Sungrow", "model": "SG250HX", "class": "inverter"})).await.expect(201);
    let row = asset(&engineer, &again.id(), "SN1").await;
    sqlx::query("update app.asset_items set status = 'decommissioned'").execute(plant.api.pool()).await.unwrap();
    let row = does(&engineer, &row, "retire", json!({"reason": "scrapped"})).await.expect(200);
    assert_eq!(row.body["status"], "retired");
}

#[tokio::test]
async fn assets_and_models_are_checked_listed_and_kept_apart_by_tenant() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let made = model(&engineer).await;
    let wrong =
        engineer.post("/asset-models", json!({"manufacturer": "", "model": "X", "class": "rocket"})).await.refuses(422, "validation");
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2);
    engineer
        .post("/asset-models", json!({"manufacturer": "Sungrow", "model": "SG250HX", "class": "inverter"}))
        .await
        .refuses(409, "model_taken");
    let wrong = engineer.post("/asset-models", json!({"manufacturer": "A", "model": "B", "class": "inverter", "rated_kw": -1.0})).await;
    assert_eq!(wrong.refuses(422, "validation").body["errors"][0]["pointer"], "/rated_kw");
    let path = format!("/asset-models/{made}");
    engineer.patch(&path, "\"v9\"", json!({"rated_kw": 225.0})).await.refuses(412, "stale_version");
    engineer.patch(&path, "\"v1\"", json!({"colour": "red"})).await.refuses(422, "validation");
    let changed = engineer.patch(&path, "\"v1\"", json!({"rated_kw": 225.0})).await.expect(200);
    assert_eq!((changed.etag().as_str(), &changed.body["rated_kw"]), ("\"v2\"", &json!(225.0)));
    let row = asset(&engineer, &made, "SN1").await;
    engineer.post("/assets", json!({"model": made, "serial_no": "SN1"})).await.refuses(409, "serial_no_taken");
    engineer.post("/assets", json!({"model": made, "serial_no": "SN9", "acquisition_cost": "5"})).await.refuses(422, "validation");
    let wrong = engineer.post("/assets", json!({"model": Uuid::nil(), "serial_no": "SN3"})).await.refuses(422, "validation");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/model");
    for serial in ["SN2", "SN3"] {
        asset(&engineer, &made, serial).await;
    }
    let first = engineer.get("/assets?limit=2&sort=-serial_no").await.expect(200).body;
    assert_eq!(first["data"][1]["serial_no"], "SN2");
    let next = format!("/assets?limit=2&sort=-serial_no&cursor={}", first["page"]["next_cursor"].as_str().unwrap());
    assert_eq!(engineer.get(&next).await.expect(200).body["data"][0]["serial_no"], "SN1");
    engineer.get("/assets?sort=colour").await.refuses(400, "bad_sort");
    engineer.get("/assets?filter[colour]=red").await.refuses(400, "bad_query");
    engineer.get("/assets?filter[model]=red").await.refuses(400, "bad_query");
    let some = engineer.get(&format!("/assets?filter[model]={made}&filter[serial_no]=SN1,SN3&filter[status]=planned")).await.expect(200);
    assert_eq!(some.body["data"].as_array().unwrap().len(), 2);

    let stranger = plant.api.stranger(Role::SiteEngineer).await;
    assert_eq!(stranger.get("/assets").await.expect(200).body["data"], json!([]));
    stranger.get(&format!("/assets/{}", row.id())).await.refuses(404, "not_found");
    stranger.patch(&format!("/assets/{}", row.id()), "\"v1\"", json!({"note": "mine"})).await.refuses(404, "not_found");
    does(&stranger, &row, "procure", json!({"reason": "mine"})).await.refuses(404, "not_found");
    stranger.delete(&format!("/assets/{}", row.id()), "\"v1\"").await.refuses(404, "not_found");
    stranger.get(&format!("/assets/{}/label", row.id())).await.refuses(404, "not_found");
    stranger.get(&format!("/assets/{}/installations", row.id())).await.refuses(404, "not_found");
    stranger.get(&format!("/positions/{}/history", plant.position)).await.refuses(404, "not_found");
    stranger.post("/asset-classes", json!({"code": "inverter", "name": "Inverter"})).await.expect(201);
    // Not even by its id: the reference carries the tenant.
    stranger.post("/assets", json!({"model": made, "serial_no": "X"})).await.refuses(422, "validation");
    plant.supervisor.post("/assets", json!({"model": made, "serial_no": "X"})).await.refuses(403, "forbidden");
    let label = engineer.get(&format!("/assets/{}/label", row.id())).await.expect(200).body;
    let payload = label["payload"].as_str().unwrap();
    assert!(
        payload.starts_with("DCMMS:A:")
            && payload.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == ':')
    );
    let label = engineer.get(&format!("/positions/{}/label", plant.position)).await.expect(200).body;
    assert_eq!(label["title"], "RJ01/B03/INV07");
}

/// Whatever the code does, two things are never at one place at once.
#[tokio::test]
async fn the_database_itself_refuses_two_things_at_one_place() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let model = model(&engineer).await;
    let mut rows = Vec::new();
    for nth in 0..8 {
        let row = asset(&engineer, &model, &format!("SN{nth}")).await;
        rows.push(does(&engineer, &row, "procure", json!({"reason": "donated"})).await.expect(200));
    }
    let race = rows.iter().map(|row| does(&engineer, row, "start-install", json!({"position": plant.position})));
    let answers = futures::future::join_all(race).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.body["guard"] == "position_free"), "{answers:?}");
    let twice = sqlx::query(
        "insert into app.installations (tenant_id, item, position, from_at) select tenant_id, item, $1, from_at from app.installations",
    )
    .bind(plant.position);
    let refused = twice.execute(plant.api.pool()).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("23P01"));
}

#[tokio::test]
async fn relations_make_no_ring_where_that_makes_no_sense() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    engineer.post("/asset-classes", json!({"code": "inverter", "name": "Inverter"})).await.expect(201);
    let place = engineer.post("/sites", site("RJ01")).await.expect(201).id();
    let mut ids = Vec::new();
    for code in ["A", "B", "C"] {
        ids.push(
            engineer.post("/positions", json!({"site": place, "code": code, "name": code, "class": "inverter"})).await.expect(201).id(),
        );
    }
    let relate = |kind: &str, source: usize, target: usize| json!({"kind": kind, "source": ids[source], "target": ids[target]});
    engineer.post("/asset-relations", relate("feeds", 0, 1)).await.expect(201);
    let last = engineer.post("/asset-relations", relate("feeds", 1, 2)).await.expect(201);
    let ring = engineer.post("/asset-relations", relate("feeds", 2, 0)).await.refuses(422, "validation");
    assert_eq!(ring.body["errors"][0]["code"], "cycle");
    engineer.post("/asset-relations", relate("feeds", 0, 1)).await.refuses(409, "target_taken");
    engineer.post("/asset-relations", relate("feeds", 0, 0)).await.refuses(422, "validation");
    engineer.post("/asset-relations", relate("loves", 0, 1)).await.refuses(422, "validation");
    // Measuring in a ring is fine, and being redundant holds both ways.
    engineer.post("/asset-relations", relate("measures", 0, 1)).await.expect(201);
    engineer.post("/asset-relations", relate("measures", 1, 0)).await.expect(201);
    engineer.post("/asset-relations", relate("redundant_with", 0, 1)).await.expect(201);
    let twice = engineer.post("/asset-relations", relate("redundant_with", 1, 0)).await.refuses(422, "validation");
    assert_eq!(twice.body["errors"][0]["code"], "repeated");
    let path = format!("/asset-relations/{}", last.id());
    engineer.patch(&path, "\"v1\"", json!({"target": ids[0]})).await.refuses(422, "validation");
    // Turned round it is no ring, for it is not held against itself.
    engineer.patch(&path, "\"v1\"", json!({"source": ids[2], "target": ids[1]})).await.expect(200);
    let listed = engineer.get(&format!("/asset-relations?filter[kind]=feeds&filter[source]={}", ids[2])).await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    engineer.get(&path).await.expect(200);
    let stranger = api.stranger(Role::SiteEngineer).await;
    stranger.post("/asset-relations", relate("feeds", 0, 2)).await.refuses(422, "validation");
    stranger.get(&path).await.refuses(404, "not_found");
    engineer.delete(&path, "\"v2\"").await.expect(204);
    // Two that together would make a ring wait for each other.
    let (one, two) = tokio::join!(
        engineer.post("/asset-relations", relate("protects", 0, 1)),
        engineer.post("/asset-relations", relate("protects", 1, 0))
    );
    assert_eq!([one.status.as_u16(), two.status.as_u16()].iter().filter(|status| **status == 201).count(), 1);
}

#[tokio::test]
async fn a_meter_only_grows() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let hours = json!({"position": plant.position, "code": "H1", "register_type": "hours", "unit": "h"});
    let meter = engineer.post("/meters", hours.clone()).await.expect(201).id();
    engineer.post("/meters", hours).await.refuses(409, "code_taken");
    engineer
        .post("/meters", json!({"position": plant.position, "code": "X", "register_type": "smell", "unit": "h"}))
        .await
        .refuses(422, "validation");
    let path = format!("/meters/{meter}/readings");
    let read = |at: &str, value: &str| json!({"at": format!("2026-01-{at}T00:00:00Z"), "value": value});
    engineer.post(&path, read("01", "100")).await.expect(201);
    assert_eq!(engineer.post(&path, read("05", "150")).await.expect(201).body["total"], "50.0000");
    let refused = engineer.post(&path, read("06", "149")).await.refuses(409, "meter.read.guard");
    assert_eq!(refused.body["guard"], "monotone");
    engineer.post(&path, read("03", "151")).await.refuses(409, "meter.read.guard");
    engineer.post(&path, read("03", "120")).await.expect(201);
    engineer.post(&path, read("03", "120")).await.refuses(409, "exists");
    engineer.post(&path, json!({"value": "1", "at": "2999-01-01T00:00:00Z"})).await.refuses(422, "validation");
    engineer.post(&path, json!({"value": "-1"})).await.refuses(409, "meter.read.guard");
    engineer.post(&path, json!({"value": "200", "source": "dream"})).await.refuses(422, "validation");
    let mut reset = read("04", "0");
    reset["reset"] = json!(true);
    assert_eq!(engineer.post(&path, reset).await.refuses(409, "meter.read.guard").body["guard"], "newest");
    let mut reset = read("08", "3");
    reset["reset"] = json!(true);
    assert_eq!(engineer.post(&path, reset).await.expect(201).body["total"], "50.0000");
    assert_eq!(engineer.post(&path, read("09", "10")).await.expect(201).body["total"], "57.0000");
    let seen = engineer.get(&format!("/meters/{meter}")).await.expect(200).body;
    assert_eq!((seen["last_value"].as_str(), seen["total"].as_str()), (Some("10.0000"), Some("57.0000")));
    let page = engineer.get(&format!("{path}?limit=2")).await.expect(200).body;
    let next = page["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(engineer.get(&format!("{path}?cursor={next}")).await.expect(200).body["data"].as_array().unwrap().len(), 3);
    engineer.patch(&format!("/meters/{meter}"), "\"v1\"", json!({"unit": "min"})).await.refuses(422, "validation");
    engineer.post(&format!("/meters/{}/readings", Uuid::nil()), json!({"value": "1"})).await.refuses(404, "not_found");
    plant.api.stranger(Role::SiteEngineer).await.post(&path, json!({"value": "200"})).await.refuses(404, "not_found");
    plant.api.role(Role::AssetOwner).await.post(&path, json!({"value": "200"})).await.refuses(403, "forbidden");

    let short = json!({"position": plant.position, "code": "C1", "register_type": "cycles", "unit": "1", "rollover": "1000"});
    let path = format!("/meters/{}/readings", engineer.post("/meters", short).await.expect(201).id());
    engineer.post(&path, read("01", "990")).await.expect(201);
    assert_eq!(engineer.post(&path, read("02", "15")).await.expect(201).body["total"], "25.0000");
    engineer.post(&path, read("03", "1000")).await.refuses(422, "validation");
}

#[tokio::test]
async fn a_claim_needs_a_warranty_that_covers_the_day() {
    let plant = Plant::start().await;
    let engineer = plant.api.role(Role::SiteEngineer).await;
    let stock = plant.api.role(Role::InventoryCoordinator).await;
    let model = model(&engineer).await;
    let item = asset(&engineer, &model, "SN1").await.id();
    let warranty = json!({"item": item, "provider": "Sungrow", "kind": "product", "starts_on": "2024-01-01", "ends_on": "2029-12-31"});
    let mut wrong = warranty.clone();
    wrong["ends_on"] = json!("2023-01-01");
    stock.post("/warranties", wrong).await.refuses(422, "validation");
    let warranty = stock.post("/warranties", warranty).await.expect(201).id();
    let claim = |day: &str| json!({"warranty": warranty, "failed_on": day, "amount": "820.00", "currency": "EUR"});
    let late = stock.post("/warranty-claims", claim("2030-01-01")).await.expect(201);
    let act = |row: &Answer, verb: &str| format!("/warranty-claims/{}/actions/{verb}", row.id());
    let refused = stock.act(&act(&late, "submit"), &late.etag(), json!({})).await.refuses(409, "warranty_claim.submit.guard");
    assert_eq!(refused.body["guard"], "covered");
    let late = stock.patch(&format!("/warranty-claims/{}", late.id()), &late.etag(), json!({"failed_on": "2029-12-31"})).await.expect(200);
    stock.act(&act(&late, "submit"), "\"v1\"", json!({})).await.refuses(412, "stale_version");
    let row = stock.act(&act(&late, "submit"), &late.etag(), json!({"provider_ref": "C-77"})).await.expect(200);
    stock.patch(&format!("/warranty-claims/{}", row.id()), &row.etag(), json!({"text": "x"})).await.refuses(409, "fixed");
    plant.planner.act(&act(&row, "accept"), &row.etag(), json!({})).await.refuses(403, "forbidden");
    let row = stock.act(&act(&row, "accept"), &row.etag(), json!({})).await.expect(200);
    stock.act(&act(&row, "settle"), &row.etag(), json!({})).await.refuses(409, "warranty_claim.settle.guard");
    let row = stock.act(&act(&row, "settle"), &row.etag(), json!({"settled_amount": "800"})).await.expect(200);
    assert_eq!((row.body["status"].as_str(), row.body["provider_ref"].as_str()), (Some("settled"), Some("C-77")));
    let second = stock.post("/warranty-claims", claim("2025-05-05")).await.expect(201);
    let second = stock.act(&act(&second, "submit"), &second.etag(), json!({})).await.expect(200);
    stock.act(&act(&second, "reject"), &second.etag(), json!({})).await.refuses(409, "warranty_claim.reject.guard");
    stock.act(&act(&second, "reject"), &second.etag(), json!({"reason": "wear"})).await.expect(200);
    assert_eq!(stock.get("/warranty-claims?filter[status]=rejected").await.expect(200).body["data"].as_array().unwrap().len(), 1);
    plant.api.stranger(Role::InventoryCoordinator).await.post("/warranty-claims", claim("2025-05-05")).await.refuses(422, "validation");
    assert_eq!(stock.get(&format!("/warranties?filter[item]={item}")).await.expect(200).body["data"].as_array().unwrap().len(), 1);
    let path = format!("/warranties/{warranty}");
    stock.patch(&path, "\"v1\"", json!({"conditions": "indoors"})).await.expect(200);
    stock.get(&path).await.expect(200);
    stock.delete(&path, "\"v2\"").await.expect(204);
    stock.get(&path).await.refuses(404, "not_found");
}
