use crate::{
    plant::site_with_class,
    support::{Api, Client},
};
use dcmms_api::resend;
use dcmms_schemas::access::Role;
use serde_json::json;
use uuid::Uuid;

/// What the sink would have left behind: two unknown points and one known by nobody's site.
async fn refused(api: &Api) {
    let keys = ["RJ01/A:ac.power", "RJ01/A:colour", "XX/B:ac.power"];
    for key in keys {
        sqlx::query("insert into derived.unknown_points values ($1, 2, now(), now(), 7)").bind(key).execute(api.pool()).await.unwrap();
    }
    let line = |key: &str, ts: u32, reason: &str| {
        let text = json!({"point": key, "ts": ts, "value": 1.0}).to_string();
        json!({"source": 0, "offset": ts, "index": null, "reason": reason, "detail": "", "tick": 1, "clock": 0, "point": key, "text": text})
            .to_string()
    };
    let old = [line(keys[0], 1, "unknown_point"), line(keys[2], 2, "unknown_point"), line(keys[0], 3, "future"), "torn".into()];
    let new = [line(keys[0], 4, "unknown_point"), line(keys[0], 5, "unknown_point")];
    let durable = new[0].len() + 1;
    std::fs::write(api.service.rejects.join("main.0.ndjson"), old.join("\n") + "\n").unwrap();
    std::fs::write(api.service.rejects.join("main.1.ndjson"), new.join("\n") + "\n").unwrap();
    std::fs::write(api.service.rejects.join("main.2.ndjson"), line(keys[0], 6, "unknown_point") + "\n").unwrap();
    sqlx::query(
        "insert into derived.jobs (job, durable_clock, rejects_file, rejects_bytes, sources) values ('main', now(), 'rejects/main.1.ndjson', $1, $2)",
    )
    .bind(durable as i64)
    .bind(json!([{"source": {"cluster": "c", "topic": "dcmms.telemetry", "topic_id": "t"}, "partition": 0, "domain": false}]))
    .execute(api.pool())
    .await
    .unwrap();
}

async fn adopted(api: &Api, engineer: &Client) -> Uuid {
    let answer = engineer.post("/unknown-points:adopt", json!({"prefix": "RJ01/"})).await.expect(201);
    let keys: Vec<_> = answer.body["points"].as_array().unwrap().iter().map(|point| point["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["RJ01/A:ac.power"]);
    assert!(answer.body["refused"][0]["reason"].as_str().unwrap().contains("colour"), "{}", answer.body);
    assert_eq!((api.events("point").await.len(), &answer.body["more"]), (1, &json!(false)));
    answer.body["adoption"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_adopted_point_is_made_and_its_readings_go_through_again_once_the_engine_knows_it() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    site_with_class(&engineer).await;
    refused(&api).await;
    assert_eq!(engineer.get("/unknown-points?filter[prefix]=RJ01").await.expect(200).body["data"].as_array().unwrap().len(), 2);
    let adoption = adopted(&api, &engineer).await;
    let listed = engineer.get("/unknown-points?limit=1").await.expect(200);
    assert_eq!((listed.body["data"][0]["key"].as_str(), &listed.body["page"]["has_more"]), (Some("RJ01/A:colour"), &json!(true)));

    assert_eq!(resend::step(&api.service).await.unwrap(), None, "its event is not published");
    sqlx::query("update app.outbox set published_at = now()").execute(api.pool()).await.unwrap();
    assert_eq!(resend::step(&api.service).await.unwrap(), None, "no later tick is durable");
    sqlx::query("update derived.jobs set durable_clock = now() + interval '3 seconds'").execute(api.pool()).await.unwrap();

    api.broker.down.store(true, std::sync::atomic::Ordering::SeqCst);
    resend::step(&api.service).await.unwrap_err();
    api.broker.down.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(resend::step(&api.service).await.unwrap(), Some(2));
    assert_eq!(resend::step(&api.service).await.unwrap(), None, "once");
    let times: Vec<_> = api.broker.resent().iter().map(|reading| reading["ts"].clone()).collect();
    assert_eq!(times, [json!(1), json!(4)], "only what was refused as unknown, and only what is durable");
    let shown = engineer.get(&format!("/adoptions/{adoption}")).await.expect(200);
    assert_eq!((shown.body["state"].as_str(), &shown.body["readings"]), (Some("done"), &json!(2)));
    engineer.get(&format!("/adoptions/{}", Uuid::nil())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn what_a_key_does_not_say_can_be_said() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let site = site_with_class(&engineer).await;
    refused(&api).await;
    let body = json!({"keys": ["XX/B:ac.power", "never:heard"], "site": site, "resolution": 0.001});
    let answer = engineer.post("/unknown-points:adopt", body).await.expect(201);
    assert_eq!((&answer.body["points"][0]["resolution"], &answer.body["refused"][0]["key"]), (&json!(0.001), &json!("never:heard")));
    let colour = json!({"keys": ["RJ01/A:colour"], "unit": "1"});
    assert_eq!(engineer.post("/unknown-points:adopt", colour).await.expect(201).body["points"][0]["unit"], "1");
    let nothing = engineer.post("/unknown-points:adopt", json!({"keys": ["never:heard"]})).await.expect(201);
    assert!(nothing.body["adoption"].is_null());
    engineer.post("/unknown-points:adopt", json!({})).await.refuses(422, "validation");
    engineer.post("/unknown-points:adopt", json!({"keys": ["a"], "prefix": "b"})).await.refuses(422, "validation");
    engineer.post("/unknown-points:adopt", json!({"keys": 5})).await.refuses(422, "bad_field");
    engineer.get("/unknown-points?cursor=zz").await.refuses(400, "bad_cursor");
}
