//! How jobs are doing, what came too late, and stopping a job.

use crate::support::Api;
use dcmms_schemas::access::Role;
use serde_json::{Value, json};

/// A job with two partitions, its books, and what it says of itself.
async fn job(api: &Api, name: &str, state: &str) {
    let source = |partition| json!({"source": {"cluster": "c", "topic": "dcmms.telemetry", "topic_id": "t"}, "partition": partition, "domain": false});
    sqlx::query(
        "insert into derived.jobs (job, generation, state, durable_tick, durable_clock, sources) values ($1, 3, $2, 40, now(), $3)",
    )
    .bind(name)
    .bind(state)
    .bind(json!([source(0), source(1)]))
    .execute(api.pool())
    .await
    .unwrap();
    for (source, readings) in [(0, 7), (1, 8)] {
        sqlx::query("insert into derived.books values ($1, $2, 5, 4, 1, $3, 5, 1, 0, 1, 0, 39)")
            .bind(name)
            .bind(source)
            .bind(readings)
            .execute(api.pool())
            .await
            .unwrap();
    }
}

async fn report(api: &Api, name: &str, generation: i64, age_s: i32) {
    let partition = |partition: i32, high: Value| {
        json!({"topic": "dcmms.telemetry", "partition": partition, "domain": false, "upto": 90, "fetched": 95, "high": high, "lag_s": 1.5,
            "watermark": 1_795_219_200_000_000_i64, "idle": partition == 1})
    };
    let node = |id: &str, name: &str, scope: bool| json!({"id": id, "name": name, "records_in": 8, "records_out": 4, "records_per_s": 2.5, "busy_us": 1_500_000, "rows_held": 6, "scope": scope});
    let report = json!({"workers": 2, "memory_bytes": 1000, "uptime_s": 9.5, "bound_tick": 42, "durable_tick": 40,
        "partitions": [partition(0, json!(100)), partition(1, Value::Null)],
        "graph": {"nodes": [node("0", "job", true), node("0.1", "Decode", false), node("0.2", "Seal", false)],
            "edges": [{"from": "0.1", "to": "0.2", "records": 4}]}});
    sqlx::query("insert into derived.job_reports values ($1, $2, now() - make_interval(secs => $3), $4)")
        .bind(name)
        .bind(generation)
        .bind(f64::from(age_s))
        .bind(report)
        .execute(api.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_job_says_how_far_it_is() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    job(&api, "main", "running").await;
    let unheard = engineer.get("/jobs/main").await.expect(200).body;
    assert_eq!((&unheard["silent"], &unheard["memory_bytes"], &unheard["partitions"]), (&json!(true), &Value::Null, &json!([])));
    engineer.get("/jobs/main/graph").await.refuses(404, "not_found");
    sqlx::query("update derived.jobs set started_at = now()").execute(api.pool()).await.unwrap();
    assert_eq!(engineer.get("/jobs/main").await.expect(200).body["silent"], false, "its first report is not due yet");
    report(&api, "main", 3, 1).await;
    let heard = engineer.get("/jobs/main").await.expect(200).body;
    assert_eq!((&heard["job"], &heard["state"], &heard["silent"]), (&json!("main"), &json!("running"), &json!(false)));
    assert_eq!((&heard["memory_bytes"], &heard["bound_tick"], &heard["durable_tick"]), (&json!(1000), &json!(42), &json!(40)));
    let partition = json!({"topic": "dcmms.telemetry", "partition": 0, "upto": 90, "queued": 5, "high": 100, "lag": 10, "lag_s": 1.5,
        "watermark": "2026-11-21T00:00:00Z", "idle": false});
    assert_eq!(heard["partitions"][0], partition);
    assert_eq!((&heard["partitions"][1]["lag"], &heard["partitions"][1]["idle"]), (&Value::Null, &json!(true)));
    let operator =
        json!({"id": "0.1", "name": "Decode", "records_in": 8, "records_out": 4, "records_per_s": 2.5, "busy_s": 1.5, "rows_held": 6});
    assert_eq!((heard["operators"].as_array().unwrap().len(), &heard["operators"][0]), (2, &operator));

    let graph = engineer.get("/jobs/main/graph").await.expect(200).body;
    assert_eq!((&graph["nodes"][0], &graph["edges"]), (&operator, &json!([{"from": "0.1", "to": "0.2", "records": 4}])));
    let dot = engineer.get("/jobs/main/graph?format=dot").await.expect(200);
    assert_eq!(dot.header("content-type"), "text/vnd.graphviz");
    assert!(String::from_utf8_lossy(&dot.bytes).contains("\"0.1\" -> \"0.2\" [label=\"4\"];"));
    engineer.get("/jobs/main/graph?format=png").await.refuses(400, "bad_format");
    engineer.get("/jobs/nobody").await.refuses(404, "not_found");
}

#[tokio::test]
async fn a_job_that_no_longer_speaks_is_silent() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    job(&api, "killed", "running").await;
    report(&api, "killed", 3, 60).await;
    assert_eq!(engineer.get("/jobs/killed").await.expect(200).body["silent"], true);
    // What an older generation said is not of this one.
    job(&api, "other", "running").await;
    report(&api, "other", 2, 1).await;
    assert_eq!(engineer.get("/jobs/other").await.expect(200).body["heard_at"], Value::Null);
}

#[tokio::test]
async fn the_books_say_whether_they_balance() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    job(&api, "main", "running").await;
    job(&api, "other", "stopped").await;
    let books = engineer.get("/jobs/main/books").await.expect(200).body;
    let said: Vec<_> = books["data"].as_array().unwrap().iter().map(|row| (row["partition"].as_i64(), row["balanced"].as_bool())).collect();
    assert_eq!(said, [(Some(0), Some(true)), (Some(1), Some(false))], "8 readings and 7 outcomes do not balance");
    assert_eq!((&books["data"][0]["tick"], &books["data"][0]["durable_tick"]), (&json!(39), &json!(40)));
    assert_eq!(engineer.get("/books").await.expect(200).body["data"].as_array().unwrap().len(), 4);
    engineer.get("/jobs/nobody/books").await.refuses(404, "not_found");
    let view: Vec<(String, i32, bool)> =
        sqlx::query_as("select job, partition, balanced from analysts.books where job = 'main' order by 2")
            .fetch_all(api.pool())
            .await
            .unwrap();
    assert_eq!(view, [("main".into(), 0, true), ("main".into(), 1, false)]);
}

#[tokio::test]
async fn a_running_job_is_asked_to_stop() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    job(&api, "main", "running").await;
    let asked = engineer.post("/jobs/main/stop", json!({"drain": true})).await.expect(202).body;
    assert_eq!((&asked["state"], &asked["stop_drains"]), (&json!("running"), &json!(true)));
    assert!(asked["stop_requested_by"].as_str().unwrap().starts_with("key:"));
    let noted: (i64, bool) =
        sqlx::query_as("select generation, drain from app.job_stops where job = 'main'").fetch_one(api.pool()).await.unwrap();
    assert_eq!(noted, (3, true));
    // Without draining after all.
    engineer.post("/jobs/main/stop", json!({})).await.expect(202);
    sqlx::query("update derived.jobs set state = 'stopped'").execute(api.pool()).await.unwrap();
    let stopped = engineer.get("/jobs").await.expect(200).body["data"][0].clone();
    assert_eq!((&stopped["state"], &stopped["stop_drains"]), (&json!("stopped"), &json!(false)), "stopped on purpose");
    engineer.post("/jobs/main/stop", json!({"drain": true})).await.refuses(409, "not_running");
    engineer.post("/jobs/nobody/stop", json!({"drain": true})).await.refuses(404, "not_found");
    engineer.post("/jobs/main/stop", json!({"hard": true})).await.refuses(422, "bad_field");
    // The next generation was not asked.
    sqlx::query("update derived.jobs set state = 'running', generation = 4").execute(api.pool()).await.unwrap();
    assert_eq!(engineer.get("/jobs").await.expect(200).body["data"][0]["stop_requested_by"], Value::Null);
}

#[tokio::test]
async fn what_came_too_late_is_listed_by_point_and_hour() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let (_, points) = crate::readings::points(&engineer, 2).await;
    for (point, hour) in [(0, 1), (0, 2), (1, 2)] {
        sqlx::query("insert into derived.pending_restatements values ($1, to_timestamp($2 * 3600), 3, to_timestamp($2 * 3600), to_timestamp($2 * 3600 + 5), 9)")
            .bind(points[point].1)
            .bind(f64::from(hour))
            .execute(api.pool())
            .await
            .unwrap();
    }
    let page = engineer.get("/late-readings?limit=2").await.expect(200).body;
    let hours =
        |page: &Value| page["data"].as_array().unwrap().iter().map(|row| row["hour"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(hours(&page), ["1970-01-01T02:00:00Z", "1970-01-01T02:00:00Z"]);
    assert_eq!((&page["data"][0]["readings"], &page["page"]["has_more"]), (&json!(3), &json!(true)));
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(hours(&engineer.get(&format!("/late-readings?cursor={cursor}")).await.expect(200).body), ["1970-01-01T01:00:00Z"]);
    let key = page["data"][0]["point"].as_str().unwrap();
    assert_eq!(engineer.get(&format!("/late-readings?filter[point]={key}")).await.expect(200).body["data"].as_array().unwrap().len(), 1);
    assert_eq!(engineer.get("/late-readings?filter[site]=nowhere").await.expect(200).body["data"], json!([]));
    assert_eq!(hours(&engineer.get("/late-readings?to=1970-01-01T02:00:00Z").await.expect(200).body).len(), 1);
    engineer.get("/late-readings?limit=0").await.refuses(400, "bad_limit");
    engineer.get("/late-readings?cursor=zz").await.refuses(400, "bad_cursor");
}
