use crate::support::{Api, Client, site};
use dcmms_schemas::access::Role;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) async fn site_with_class(engineer: &Client) -> Uuid {
    engineer.post("/asset-classes", json!({"code": "inverter", "name": "Inverter"})).await.expect(201);
    engineer.post("/sites", site("RJ01")).await.expect(201).id().parse().unwrap()
}

fn position(site: Uuid, code: &str, parent: Option<&str>) -> Value {
    json!({"site": site, "code": code, "name": code, "class": "inverter", "parent": parent})
}

#[tokio::test]
async fn an_asset_class_is_made_changed_and_archived_unless_used() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let made = engineer.post("/asset-classes", json!({"code": "pump", "name": "Pump"})).await.expect(201);
    engineer.post("/asset-classes", json!({"code": "pump", "name": "Pump"})).await.refuses(409, "code_taken");
    engineer.post("/asset-classes", json!({"code": "a b", "name": ""})).await.refuses(422, "validation");
    let path = format!("/asset-classes/{}", made.id());
    engineer.patch(&path, "\"v1\"", json!({"code": "pumps"})).await.refuses(422, "validation");
    engineer.patch(&path, "\"v1\"", json!({"name": "Water pump"})).await.expect(200);
    engineer.patch(&path, "\"v1\"", json!({"name": "Oil pump"})).await.refuses(412, "stale_version");
    engineer.get(&path).await.expect(200);
    engineer.get("/asset-classes?cursor=1").await.refuses(400, "bad_cursor");
    engineer.get(&format!("/asset-classes/{}", Uuid::nil())).await.refuses(404, "not_found");
    let site = site_with_class(&engineer).await;
    let used = engineer.get("/asset-classes").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    engineer.post("/positions", position(site, "A", None)).await.expect(201);
    engineer.delete(&format!("/asset-classes/{used}"), "\"v1\"").await.refuses(409, "in_use");
    engineer.delete(&path, "\"v2\"").await.expect(204);
    engineer.get(&path).await.refuses(404, "not_found");
}

#[tokio::test]
async fn positions_make_a_tree_without_rings() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let site = site_with_class(&engineer).await;
    let block = engineer.post("/positions", position(site, "B03", None)).await.expect(201).id();
    let inverter = engineer.post("/positions", position(site, "B03/INV07", Some(&block))).await.expect(201).id();
    let fan = engineer.post("/positions", position(site, "B03/INV07/FAN1", Some(&inverter))).await.expect(201).id();

    let ring = engineer.patch(&format!("/positions/{block}"), "\"v1\"", json!({"parent": fan})).await.refuses(422, "validation");
    assert_eq!(ring.body["errors"][0]["code"], "cycle");
    engineer.patch(&format!("/positions/{block}"), "\"v1\"", json!({"parent": block})).await.refuses(422, "validation");
    let moved = engineer.patch(&format!("/positions/{fan}"), "\"v1\"", json!({"parent": block, "rated_kw": 0.5})).await.expect(200);
    assert_eq!((moved.etag().as_str(), moved.body["parent"].as_str()), ("\"v2\"", Some(block.as_str())));

    let children = engineer.get(&format!("/positions/{block}/children?limit=1")).await.expect(200);
    assert_eq!((children.body["data"].as_array().unwrap().len(), &children.body["page"]["has_more"]), (1, &json!(true)));
    let tree = engineer.get(&format!("/sites/{site}/tree")).await.expect(200);
    let codes: Vec<_> =
        tree.body["positions"][0]["children"].as_array().unwrap().iter().map(|node| node["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["B03/INV07", "B03/INV07/FAN1"]);

    engineer.delete(&format!("/positions/{block}"), "\"v1\"").await.refuses(409, "in_use");
    engineer.delete(&format!("/positions/{fan}"), "\"v2\"").await.expect(204);
    engineer.get(&format!("/positions/{fan}")).await.refuses(404, "not_found");
    assert_eq!(api.events("position").await.len(), 5);
    engineer.get(&format!("/sites/{}/tree", Uuid::nil())).await.refuses(404, "not_found");
    engineer.get(&format!("/positions/{block}/children?cursor=5b5d")).await.refuses(400, "bad_cursor");
}

#[tokio::test]
async fn a_position_names_only_what_is_there() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let one = site_with_class(&engineer).await;
    let other: Uuid = engineer.post("/sites", site("RJ02")).await.expect(201).id().parse().unwrap();
    let there = engineer.post("/positions", position(other, "X", None)).await.expect(201).id();
    let wrong = engineer.post("/positions", position(one, "A", Some(&there))).await.refuses(422, "validation");
    assert_eq!(wrong.body["errors"][0]["code"], "other_site");
    let wrong = json!({"site": Uuid::nil(), "code": "A", "name": "A", "class": "rocket", "parent": Uuid::nil()});
    let wrong = engineer.post("/positions", wrong).await.refuses(422, "validation");
    let pointers: Vec<_> = wrong.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/site", "/class", "/parent"]);
    engineer.post("/positions", position(one, "A//B", None)).await.refuses(422, "validation");
    engineer.post("/positions", position(one, "A", None)).await.expect(201);
    engineer.post("/positions", position(one, "A", None)).await.refuses(409, "code_taken");
    engineer.patch(&format!("/positions/{there}"), "\"v1\"", json!({"site": one})).await.refuses(422, "validation");
    engineer.get("/positions?cursor=00").await.refuses(400, "bad_cursor");
    let listed = engineer.get(&format!("/positions?filter[site]={other}&filter[class]=inverter,pump")).await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_point_is_completed_by_its_quantity_and_range() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let site = site_with_class(&engineer).await;
    let power = json!({"site": site, "key": "RJ01/A:ac.power", "kind": "ac.power", "range_min": 0.0, "range_max": 300.0});
    let power = engineer.post("/points", power).await.expect(201);
    assert_eq!((&power.body["unit"], &power.body["counter"], &power.body["horizon_ms"]), (&json!("kW"), &json!(false), &json!(900_000)));
    assert_eq!(power.body["resolution"], 1e-7);
    let energy =
        engineer.post("/points", json!({"site": site, "key": "RJ01/A:ac.energy_export", "kind": "ac.energy_export"})).await.expect(201);
    assert_eq!((&energy.body["counter"], &energy.body["resolution"]), (&json!(true), &json!(1e-6)));
    assert_ne!(power.body["number"], energy.body["number"]);

    let path = format!("/points/{}", power.id());
    for fixed in [json!({"key": "other"}), json!({"resolution": 1.0}), json!({"site": Uuid::nil()})] {
        engineer.patch(&path, "\"v1\"", fixed).await.refuses(422, "validation");
    }
    let changed = engineer.patch(&path, "\"v1\"", json!({"horizon_ms": 60_000, "name": "Power"})).await.expect(200);
    assert_eq!((&changed.body["horizon_ms"], &changed.body["number"]), (&json!(60_000), &power.body["number"]));
    engineer.delete(&path, "\"v1\"").await.refuses(412, "stale_version");
    engineer.delete(&path, "\"v2\"").await.expect(204);
    engineer.get(&path).await.refuses(404, "not_found");
    let again = json!({"site": site, "key": "RJ01/A:ac.power", "kind": "ac.power"});
    let again = engineer.post("/points", again).await.expect(201);
    assert_ne!(again.body["number"], power.body["number"], "a number is never reused");
    let events = api.events("point").await;
    assert_eq!((events.len(), &events[3]["removed"]), (5, &json!(true)));
}

#[tokio::test]
async fn a_batch_of_points_is_all_or_none() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let site = site_with_class(&engineer).await;
    let point = |key: &str, kind: &str| json!({"site": site, "key": key, "kind": kind});
    let wrong = json!({"points": [point("A:ac.power", "ac.power"), point("A:ac.power", "ac.power"), point("A:x", "colour"), point("a b", "ac.power")]});
    let wrong = engineer.post("/points:batch", wrong).await.refuses(422, "validation");
    let pointers: Vec<_> = wrong.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/points/1/key", "/points/2/unit", "/points/3/key"]);
    assert!(api.events("point").await.is_empty());

    let many: Vec<_> = (0..1_000).map(|number| point(&format!("P{number:04}:ac.power"), "ac.power")).collect();
    let added = engineer.post("/points:batch", json!({"points": many})).await.expect(201);
    let keys: Vec<_> = added.body["points"].as_array().unwrap().iter().map(|point| point["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!((keys.len(), keys[999].as_str()), (1_000, "P0999:ac.power"));
    assert_eq!(api.events("point").await.len(), 1_000);
    let mut many = many;
    many.push(point("one:ac.power", "ac.power"));
    engineer.post("/points:batch", json!({"points": many})).await.refuses(422, "validation");
    engineer.post("/points:batch", json!({"points": []})).await.refuses(422, "validation");

    let page = engineer.get(&format!("/points?filter[site]={site}&filter[kind]=ac.power&limit=1000")).await.expect(200);
    assert_eq!(page.body["data"].as_array().unwrap().len(), 1_000);
    let one = engineer.get("/points?filter[key]=P0007:ac.power").await.expect(200);
    assert_eq!(one.body["data"].as_array().unwrap().len(), 1);
    engineer.get("/points?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get(&format!("/points/{}", Uuid::nil())).await.refuses(404, "not_found");
    engineer.delete(&format!("/sites/{site}"), "\"v1\"").await.refuses(409, "in_use");
}
