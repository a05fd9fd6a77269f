//! What was refused: looked at, sent through again once, and published.

use crate::support::Api;
use dcmms_api::{Limits, rejects::publish, resend};
use dcmms_schemas::{access::Role, wire::Format};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;
use uuid::Uuid;

/// A line as the sink writes it.
fn line(source: u16, offset: i64, reason: &str, text: &str) -> Value {
    json!({"source": source, "offset": offset, "index": 0, "reason": reason, "detail": "why", "tick": offset, "clock": offset * 1_000_000,
        "point": "RJ01/A:ac.power", "text": text})
}

/// A job with these files; the last one is durable but for its last line.
async fn refused(api: &Api, job: &str, files: &[Vec<Value>]) {
    let mut durable = 0;
    for (number, lines) in files.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(api.service.rejects.join(format!("{job}.{number}.ndjson")), lines.concat()).unwrap();
        durable = lines[..lines.len() - 1].iter().map(String::len).sum();
    }
    let source = |partition| json!({"source": {"cluster": "c", "topic": "dcmms.telemetry", "topic_id": "t"}, "partition": partition, "domain": false});
    sqlx::query("insert into derived.jobs (job, durable_clock, rejects_file, rejects_bytes, sources) values ($1, now(), $2, $3, $4)")
        .bind(job)
        .bind(format!("rejects/{job}.{}.ndjson", files.len() - 1))
        .bind(durable as i64)
        .bind(json!([source(0), source(1)]))
        .execute(api.pool())
        .await
        .unwrap();
}

fn story() -> Vec<Vec<Value>> {
    let mut whole = line(1, 2, "unreadable", "");
    let fields = whole.as_object_mut().unwrap();
    fields.remove("text");
    fields.extend([
        ("index".into(), Value::Null),
        ("point".into(), Value::Null),
        ("base64".into(), json!("//4=")),
        ("format".into(), json!("arrow")),
    ]);
    let first = vec![line(0, 1, "bad_time", "1"), whole, line(0, 3, "future", "3"), line(1, 4, "bad_time", "4")];
    vec![first, vec![line(0, 5, "bad_time", "5"), line(0, 2_000, "bad_time", "6"), line(0, 7, "bad_time", "not durable")]]
}

#[tokio::test]
async fn a_replay_sends_what_was_refused_and_a_second_one_nothing() {
    let api = Api::start().await;
    refused(&api, "main", &story()).await;
    let engineer = api.role(Role::SiteEngineer).await;
    let asked = json!({"reasons": ["bad_time"], "after_fix": true});
    let made = engineer.post("/rejects/replay", asked.clone()).await.expect(202);
    assert_eq!((made.body["state"].as_str(), made.body["sent"].as_i64()), (Some("waiting"), Some(0)));
    assert_eq!(made.header("location"), format!("/api/v1/rejects/replays/{}", made.id()));
    assert_eq!(resend::step(&api.service).await.unwrap(), Some(4));
    assert_eq!(api.broker.resent(), [json!(1), json!(4), json!(5), json!(6)]);
    {
        let once = api.broker.once.lock().unwrap();
        let first = &once[1];
        assert_eq!((first.topic.as_str(), first.partition, first.key.as_deref()), ("dcmms.telemetry", 1, Some("RJ01/A:ac.power")));
        assert_eq!((first.id.as_str(), first.format), ("dcmms.telemetry/1/4/0", Format::Json), "to the partition it came from");
    }
    let shown = engineer.get(&format!("/rejects/replays/{}", made.id())).await.expect(200).body;
    assert_eq!(
        (&shown["state"], &shown["sent"], &shown["skipped"], &shown["kind"]),
        (&json!("done"), &json!(4), &json!(0), &json!("replay"))
    );
    assert!(shown["bytes"].as_i64() > Some(0) && shown["bytes"] == shown["bytes_total"]);

    let again = engineer.post("/rejects/replay", asked).await.expect(202).id();
    assert_eq!(resend::step(&api.service).await.unwrap(), Some(0));
    let shown = engineer.get(&format!("/rejects/replays/{again}")).await.expect(200).body;
    assert_eq!((&shown["state"], &shown["sent"], &shown["skipped"]), (&json!("done"), &json!(0), &json!(4)));
    // Another reason is another matter; a whole message goes as it came.
    engineer.post("/rejects/replay", json!({"reasons": ["unreadable", "bad_time"], "after_fix": true})).await.expect(202);
    assert_eq!(resend::step(&api.service).await.unwrap(), Some(1));
    let last = api.broker.once.lock().unwrap().last().cloned().unwrap();
    assert_eq!(
        (&last.payload[..], last.format, last.key, last.id.as_str()),
        (&[255, 254][..], Format::Arrow, None, "dcmms.telemetry/1/2/-")
    );
    assert_eq!(resend::step(&api.service).await.unwrap(), None);
    let listed = engineer.get("/rejects/replays?limit=2").await.expect(200).body;
    assert_eq!((listed["data"][1]["id"].as_str(), &listed["page"]["has_more"]), (Some(again.as_str()), &json!(true)));
    let cursor = listed["page"]["next_cursor"].as_str().unwrap().to_owned();
    let rest = engineer.get(&format!("/rejects/replays?cursor={cursor}")).await.expect(200).body;
    assert_eq!(rest["data"][0]["id"].as_str(), Some(made.id().as_str()));
}

/// Answers are lost, the broker is away, the process ends in the middle: whatever happens, everything is there once.
#[tokio::test]
async fn a_replay_that_is_broken_off_anywhere_sends_each_once() {
    for fall in 0..40 {
        let api = Api::with(Limits { resend_messages_max: 2, ..Limits::STANDARD }).await;
        refused(&api, "main", &story()).await;
        api.role(Role::SiteEngineer)
            .await
            .post("/rejects/replay", json!({"reasons": ["bad_time", "future"], "after_fix": true}))
            .await
            .expect(202);
        let mut left = fall;
        // As many polls as `fall` says, then the process is gone.
        let first = api.other_process("first");
        let mut stepping = Box::pin(resend::step(&first));
        if fall % 2 == 0 {
            api.broker.deaf.store(true, SeqCst);
        }
        let broken = std::future::poll_fn(|context| {
            left -= 1;
            if left < 0 {
                return std::task::Poll::Ready(None);
            }
            stepping.as_mut().poll(context).map(Some)
        });
        let _ = broken.await;
        drop(stepping);
        api.end_process("first").await;
        for _ in 0..20 {
            if matches!(resend::step(&api.service).await, Ok(None)) {
                break;
            }
        }
        let mut sent: Vec<i64> = api.broker.resent().iter().map(|value| value.as_i64().unwrap()).collect();
        sent.sort_unstable();
        assert_eq!(sent, [1, 3, 4, 5, 6], "broken off after {fall} polls");
        let counted: i64 = sqlx::query_scalar("select sent from app.resends where state = 'done'").fetch_one(api.pool()).await.unwrap();
        assert_eq!(counted, 5);
    }
}

#[tokio::test]
async fn a_replay_can_be_narrowed_and_two_jobs_that_refused_the_same_send_it_once() {
    let api = Api::start().await;
    refused(&api, "main", &story()).await;
    refused(&api, "other", &story()).await;
    let engineer = api.role(Role::SiteEngineer).await;
    let ask = async |more: Value| {
        let mut body = json!({"reasons": ["bad_time"], "after_fix": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        engineer.post("/rejects/replay", body).await.expect(202);
        resend::step(&api.service).await.unwrap()
    };
    assert_eq!(ask(json!({"job": "other", "partition": 1})).await, Some(1));
    assert_eq!(ask(json!({"from": "1970-01-01T00:00:04Z", "to": "1970-01-01T00:00:06Z"})).await, Some(1), "4 was sent, 5 is left");
    assert_eq!(ask(json!({"keys": ["nobody's"]})).await, Some(0));
    assert_eq!(ask(json!({"keys": ["RJ01/A:ac.power"]})).await, Some(2));
    assert_eq!(api.broker.resent(), [json!(4), json!(5), json!(1), json!(6)]);
}

#[tokio::test]
async fn what_cannot_be_replayed_says_why() {
    let api = Api::start().await;
    refused(&api, "main", &story()).await;
    let engineer = api.role(Role::SiteEngineer).await;
    let refuse = async |body: Value, pointer: &str| {
        let problem = engineer.post("/rejects/replay", body).await.refuses(422, "validation").body;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    };
    refuse(json!({"reasons": ["bad_time"]}), "/after_fix").await;
    refuse(json!({"reasons": [], "after_fix": true}), "/reasons").await;
    refuse(json!({"reasons": ["tired"], "after_fix": true}), "/reasons").await;
    refuse(json!({"reasons": ["future"], "after_fix": true, "job": "nobody's"}), "/job").await;
    refuse(json!({"reasons": ["future"], "after_fix": true, "keys": []}), "/keys").await;
    refuse(json!({"reasons": ["future"], "after_fix": true, "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}), "/to").await;
    engineer.get(&format!("/rejects/replays/{}", Uuid::nil())).await.refuses(404, "not_found");
    engineer.get("/rejects/replays?cursor=zz").await.refuses(400, "bad_cursor");
    let made = engineer.post("/rejects/replay", json!({"reasons": ["future"], "after_fix": true})).await.expect(202).id();
    // What people changed before is not known to the engine yet.
    sqlx::query("insert into app.outbox (entity, id, version, payload) values ('site', gen_random_uuid(), 1, '{}')")
        .execute(api.pool())
        .await
        .unwrap();
    let later = engineer.post("/rejects/replay", json!({"reasons": ["future"], "after_fix": true})).await.expect(202).id();
    std::fs::rename(api.service.rejects.join("main.1.ndjson"), api.service.rejects.join("gone")).unwrap();
    resend::step(&api.service).await.unwrap_err();
    let failed = engineer.get(&format!("/rejects/replays/{made}")).await.expect(200).body;
    assert_eq!(failed["state"], "failed");
    assert!(failed["failure"].as_str().unwrap().contains("the machine that ran it"), "{failed}");
    assert_eq!(resend::step(&api.service).await.unwrap(), None, "the other one waits");
    assert_eq!(engineer.get(&format!("/rejects/replays/{later}")).await.expect(200).body["state"], "waiting");
    engineer.get("/rejects/sample").await.refuses(404, "not_found");
}

#[tokio::test]
async fn rejects_are_seen_by_reason_and_with_their_bytes() {
    let api = Api::start().await;
    refused(&api, "main", &story()).await;
    for (source, reason, hour, n, offsets) in
        [(0, "bad_time", 1, 2, (1, 5)), (0, "bad_time", 3, 4, (6, 9)), (1, "bad_time", 2, 1, (4, 4)), (0, "future", 1, 1, (3, 3))]
    {
        sqlx::query("insert into derived.rejects values ('main', $1, $2, to_timestamp($3 * 3600), $4, $5, $6, 'rejects/main.0.ndjson', $2 || $3, $3)")
            .bind(source)
            .bind(reason)
            .bind(hour)
            .bind(n)
            .bind(offsets.0)
            .bind(offsets.1)
            .execute(api.pool())
            .await
            .unwrap();
    }
    let engineer = api.role(Role::SiteEngineer).await;
    let seen = engineer.get("/rejects/reasons").await.expect(200).body;
    let first = json!({"reason": "bad_time", "job": "main", "topic": "dcmms.telemetry", "partition": 0, "n": 6, "first_offset": 1, "last_offset": 9,
        "first_hour": "1970-01-01T01:00:00Z", "last_hour": "1970-01-01T03:00:00Z", "detail": "bad_time3"});
    assert_eq!((seen["data"].as_array().unwrap().len(), &seen["data"][0]), (3, &first));
    let future = engineer.get("/rejects/reasons?filter[reason]=future&filter[job]=main").await.expect(200).body;
    assert_eq!((future["data"].as_array().unwrap().len(), &future["data"][0]["n"]), (1, &json!(1)));
    engineer.get("/rejects/reasons?filter[reason]=tired").await.refuses(422, "validation");

    let sample = engineer.get("/rejects/sample?limit=3").await.expect(200).body;
    let texts: Vec<_> = sample["data"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["6", "5", "4"], "the newest first, and only what is durable");
    let whole = &engineer.get("/rejects/sample?filter[reason]=unreadable").await.expect(200).body["data"][0];
    assert_eq!(
        (&whole["base64"], &whole["format"], &whole["partition"], &whole["at"]),
        (&json!("//4="), &json!("arrow"), &json!(1), &json!("1970-01-01T00:00:02Z"))
    );
    assert_eq!(engineer.get("/rejects/sample?filter[job]=other").await.expect(200).body["data"], json!([]));
    engineer.get("/rejects/sample?limit=0").await.refuses(400, "bad_limit");
    engineer.get("/rejects/sample?filter[reason]=tired").await.refuses(422, "validation");
}

#[tokio::test]
async fn every_reject_is_published_and_a_repeat_has_the_same_key() {
    let api = Api::with(Limits { resend_messages_max: 3, ..Limits::STANDARD }).await;
    refused(&api, "main", &story()).await;
    let publish_all = async || while publish::step(&api.service).await.unwrap() > 0 {};
    api.broker.down.store(true, SeqCst);
    publish::step(&api.service).await.unwrap_err();
    api.broker.down.store(false, SeqCst);
    publish_all().await;
    let sent = || api.broker.sent.lock().unwrap().clone();
    let keys: Vec<String> = sent().iter().map(|(topic, message)| format!("{topic} {}", message.key)).collect();
    let of = |place: &str| format!("dcmms.rejects main/dcmms.telemetry/{place}");
    assert_eq!(keys, ["0/1/0", "1/2/-", "0/3/0", "1/4/0", "0/5/0", "0/2000/0"].map(of));
    let said: Value = serde_json::from_slice(&sent()[1].1.payload).unwrap();
    assert_eq!(
        (&said["job"], &said["topic"], &said["partition"], &said["base64"]),
        (&json!("main"), &json!("dcmms.telemetry"), &json!(1), &json!("//4="))
    );
    // The place reached was not noted before the process ended.
    sqlx::query("update app.rejects_published set number = 0, bytes = 0").execute(api.pool()).await.unwrap();
    publish_all().await;
    let keys: std::collections::BTreeSet<String> = sent().into_iter().map(|(_, message)| message.key).collect();
    assert_eq!(keys.len(), 6);
}
