use crate::support::{Api, site};
use dcmms_schemas::{
    access::Role,
    domain::{Event, Row},
};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_site_is_made_shown_changed_and_archived_and_each_tells_the_engine() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let made = engineer.post("/sites", site("RJ01")).await.expect(201);
    assert_eq!((made.etag().as_str(), made.header("location")), ("\"v1\"", format!("/api/v1/sites/{}", made.id()).as_str()));

    let path = format!("/sites/{}", made.id());
    let shown = engineer.get(&path).await.expect(200);
    assert_eq!(shown.body, made.body);
    assert_eq!(shown.body["poa_threshold"], 50.0);

    let changed = engineer.patch(&path, &shown.etag(), json!({"name": "Rajasthan One", "ac_kw": null})).await.expect(200);
    assert_eq!((changed.etag().as_str(), &changed.body["name"], &changed.body["ac_kw"]), ("\"v2\"", &json!("Rajasthan One"), &json!(null)));

    engineer.delete(&path, "\"v2\"").await.expect(204);
    engineer.get(&path).await.refuses(404, "not_found");

    let events: Vec<Event> = api.events("site").await.into_iter().map(|event| serde_json::from_value(event).unwrap()).collect();
    let said: Vec<_> = events.iter().map(|event| (event.version, event.removed)).collect();
    assert_eq!(said, [(1, false), (2, false), (3, true)]);
    assert!(matches!(&events[1].row, Row::Site(site) if site.name == "Rajasthan One" && site.ac_kw.is_none()));
}

#[tokio::test]
async fn everything_wrong_with_a_site_is_said_at_once() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let wrong = json!({"code": "R J", "name": "", "zone": "Mars/Olympus", "kind": "tidal", "latitude": 91, "ac_kw": 0});
    let answer = engineer.post("/sites", wrong).await.refuses(422, "validation");
    let pointers: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/code", "/name", "/kind", "/zone", "/latitude", "/ac_kw"]);
    assert!(api.events("site").await.is_empty());

    engineer.post("/sites", site("RJ01")).await.expect(201);
    engineer.post("/sites", site("RJ01")).await.refuses(409, "code_taken");
    let other = engineer.post("/sites", site("RJ02")).await.expect(201);
    engineer.patch(&format!("/sites/{}", other.id()), "\"v1\"", json!({"code": "RJ01"})).await.refuses(409, "exists");
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    for number in 0..7 {
        engineer.post("/sites", site(&format!("S{number}"))).await.expect(201);
    }
    for sort in ["code", "-code", "name", "-name"] {
        let (mut codes, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = engineer.get(&format!("/sites?limit=3&sort={sort}{cursor}")).await.expect(200);
            codes.extend(page.body["data"].as_array().unwrap().iter().map(|site| site["code"].as_str().unwrap().to_owned()));
            match page.body["page"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut wanted: Vec<_> = (0..7).map(|number| format!("S{number}")).collect();
        if sort.starts_with('-') {
            wanted.reverse();
        }
        assert_eq!(codes, wanted, "{sort}");
    }
    let filtered = engineer.get("/sites?filter[code]=S1,S5").await.expect(200);
    assert_eq!(filtered.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_refuses_what_it_cannot_read() {
    let api = Api::start().await;
    let owner = api.role(Role::AssetOwner).await;
    owner.get("/sites?cursor=zz").await.refuses(400, "bad_cursor");
    owner.get("/sites?cursor=5b2278222c315d").await.refuses(400, "bad_cursor");
    owner.get("/sites?limit=0").await.refuses(400, "bad_limit");
    owner.get("/sites?limit=1001").await.refuses(400, "bad_limit");
    owner.get("/sites?sort=colour").await.refuses(400, "bad_sort");
    let unknown = owner.get("/sites?filter[colour]=red").await.refuses(400, "bad_query");
    assert!(unknown.body["detail"].as_str().unwrap().contains("filter[colour]"), "{}", unknown.body);
    owner.get("/sites/not-an-id").await.refuses(400, "bad_path");
    owner.get(&format!("/sites/{}", Uuid::nil())).await.refuses(404, "not_found");
}
