use crate::{
    plant::site_with_class,
    support::{Api, Client},
};
use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt8Array};
use dcmms_schemas::access::Role;
use parquet::arrow::ArrowWriter;
use serde_json::json;
use std::{fs::File, sync::Arc};
use uuid::Uuid;

const NOON: i64 = 1_763_640_000_000_000;

/// (point, seconds after noon, value, seq, correction)
type Kept = (i32, i64, f64, Option<i64>, bool);

/// A file as the sink writes it, sorted by point and moment, and its row in the manifest.
async fn seal(api: &Api, name: &str, rows: &[Kept]) {
    let at = |row: &Kept| NOON + row.1 * 1_000_000;
    let columns: [(&str, ArrayRef); 8] = [
        ("point", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0)))),
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(at)).with_timezone("UTC"))),
        ("value", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2)))),
        ("quality", Arc::new(UInt8Array::from_iter_values(rows.iter().map(|_| 1)))),
        ("seq", Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>())),
        ("correction", Arc::new(rows.iter().map(|row| Some(row.4)).collect::<BooleanArray>())),
        ("late", Arc::new(rows.iter().map(|_| Some(false)).collect::<BooleanArray>())),
        ("tick", Arc::new(Int64Array::from_iter_values(rows.iter().map(|_| 3)))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, name == "seq"))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(api.service.history.join(name)).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (first, last) = (rows.iter().map(at).min().unwrap(), rows.iter().map(at).max().unwrap());
    sqlx::query(
        "insert into derived.history_files values ($1, 'main', 0, '2025-11-20', 1, 3, $2, 1,
         to_timestamp($3::double precision / 1e6), to_timestamp($4::double precision / 1e6), 3)",
    )
    .bind(name)
    .bind(rows.len() as i64)
    .bind(first as f64)
    .bind(last as f64)
    .execute(api.pool())
    .await
    .unwrap();
}

pub(crate) async fn points(engineer: &Client, count: usize) -> (Uuid, Vec<(String, i32)>) {
    let site = site_with_class(engineer).await;
    let mut points = Vec::new();
    for number in 0..count {
        let point =
            engineer.post("/points", json!({"site": site, "key": format!("P{number}:ac.power"), "kind": "ac.power"})).await.expect(201);
        points.push((point.id(), point.body["number"].as_i64().unwrap() as i32));
    }
    (site, points)
}

const DAY: &str = "from=2025-11-20T00:00:00Z&to=2025-11-21T00:00:00Z";

#[tokio::test]
async fn raw_readings_are_the_winners_of_all_files_in_order() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let (_, points) = points(&engineer, 2).await;
    let (id, number) = (&points[0].0, points[0].1);
    seal(&api, "a.parquet", &[(number, 0, 1.0, None, false), (number, 10, 2.0, Some(5), false), (number + 1, 0, 99.0, None, false)]).await;
    seal(&api, "b.parquet", &[(number, 0, 0.5, None, true), (number, 5, 7.0, None, false), (number, 10, 3.0, Some(4), false)]).await;
    sqlx::query("insert into derived.jobs (job, history_tick, durable_tick) values ('main', 3, 9)").execute(api.pool()).await.unwrap();
    sqlx::query("insert into derived.latest values ($1, now(), 1, 0, 8)").bind(number).execute(api.pool()).await.unwrap();

    let answer = engineer.get(&format!("/points/{id}/readings?{DAY}")).await.expect(200);
    let seen: Vec<_> =
        answer.body["data"].as_array().unwrap().iter().map(|row| (row["value"].as_f64().unwrap(), row["correction"].clone())).collect();
    assert_eq!(seen, [(0.5, json!(true)), (7.0, json!(false)), (2.0, json!(false))]);
    assert_eq!(answer.body["data"][0]["quality"], "uncertain");
    assert_eq!((&answer.body["tail"]["missing"], &answer.body["tail"]["history_tick"]), (&json!(true), &json!(3)));

    let path = format!("/points/{id}/readings?{DAY}&limit=2");
    let first = engineer.get(&path).await.expect(200);
    let next = first.body["page"]["next_cursor"].as_str().unwrap();
    let second = engineer.get(&format!("{path}&cursor={next}")).await.expect(200);
    assert_eq!((second.body["data"].as_array().unwrap().len(), &second.body["data"][0]["value"]), (1, &json!(2.0)));
    assert_eq!(second.body["page"]["has_more"], false);
    let narrow = engineer.get(&format!("/points/{id}/readings?from=2025-11-20T12:00:05Z&to=2025-11-20T12:00:10Z")).await.expect(200);
    assert_eq!(narrow.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn windows_are_shown_by_bucket() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let (_, points) = points(&engineer, 1).await;
    let (id, number) = (&points[0].0, points[0].1);
    sqlx::query("create table derived.rollups_1h_all partition of derived.rollups_1h default").execute(api.pool()).await.unwrap();
    for hour in 0..3 {
        sqlx::query("insert into derived.rollups_1h values ($1, '2025-11-20T00:00:00Z'::timestamptz + make_interval(hours => $2), 4, 1, 0, 1, 3, 2, 0.5, 1, now(), 3, now(), 7)")
            .bind(number)
            .bind(hour)
            .execute(api.pool())
            .await
            .unwrap();
    }
    let page = engineer.get(&format!("/points/{id}/rollups?{DAY}&limit=2")).await.expect(200);
    let next = page.body["page"]["next_cursor"].as_str().unwrap();
    let rest = engineer.get(&format!("/points/{id}/rollups?{DAY}&limit=2&cursor={next}")).await.expect(200);
    assert_eq!((page.body["data"].as_array().unwrap().len(), rest.body["data"].as_array().unwrap().len()), (2, 1));
    assert_eq!((&rest.body["data"][0]["mean"], &rest.body["data"][0]["n_uncertain"]), (&json!(2.0), &json!(1)));
    for bucket in ["1m", "15m", "1d"] {
        engineer.get(&format!("/points/{id}/readings?{DAY}&bucket={bucket}")).await.expect(200);
    }
    assert_eq!(engineer.get(&format!("/points/{id}/readings?{DAY}&bucket=1h")).await.expect(200).body["data"].as_array().unwrap().len(), 3);
    engineer.get(&format!("/points/{id}/readings?{DAY}&bucket=2h")).await.refuses(400, "bad_bucket");
    engineer.get(&format!("/points/{id}/rollups?{DAY}&bucket=raw")).await.refuses(400, "bad_bucket");
    engineer.get(&format!("/points/{id}/readings?from=2025-11-20T00:00:00Z")).await.refuses(400, "bad_query");
    engineer.get(&format!("/points/{id}/readings?from=2025-11-21T00:00:00Z&to=2025-11-20T00:00:00Z")).await.refuses(400, "bad_span");
    engineer.get(&format!("/points/{id}/readings?{DAY}&limit=10001")).await.refuses(400, "bad_limit");
    engineer.get(&format!("/points/{id}/readings?{DAY}&cursor={next}")).await.refuses(400, "bad_cursor");
    engineer.get(&format!("/points/{}/readings?{DAY}", Uuid::nil())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn the_newest_values_and_anomalies_are_listed() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let (site, points) = points(&engineer, 3).await;
    let (id, number) = (&points[1].0, points[1].1);
    sqlx::query("insert into derived.latest values ($1, now(), 4.5, 2, 8)").bind(number).execute(api.pool()).await.unwrap();
    let latest = engineer.get(&format!("/points:latest?filter[site]={site}&filter[key]=P1:ac.power,P2:ac.power")).await.expect(200);
    let rows = latest.body["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["value"], &rows[0]["quality"], &rows[1]["value"]), (2, &json!(4.5), &json!("bad"), &json!(null)));
    assert_eq!(engineer.get("/points:latest?limit=2").await.expect(200).body["page"]["has_more"], true);
    for minute in 0..3 {
        sqlx::query(
            "insert into derived.anomalies values ($1, '2025-11-20T00:00:00Z'::timestamptz + make_interval(mins => $2), 9, 5, 1, 7)",
        )
        .bind(number)
        .bind(minute)
        .execute(api.pool())
        .await
        .unwrap();
    }
    let page = engineer.get(&format!("/points/{id}/anomalies?limit=2")).await.expect(200);
    assert_eq!(page.body["data"][0]["at"], "2025-11-20T00:02:00Z");
    let next = page.body["page"]["next_cursor"].as_str().unwrap();
    let rest = engineer.get(&format!("/points/{id}/anomalies?limit=2&cursor={next}")).await.expect(200);
    assert_eq!(rest.body["data"].as_array().unwrap().len(), 1);
    let some = engineer.get(&format!("/anomalies?filter[site]={site}&from=2025-11-20T00:01:00Z&to=2025-11-20T00:02:00Z")).await.expect(200);
    assert_eq!(some.body["data"].as_array().unwrap().len(), 1);
    engineer.get("/anomalies?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get("/points:latest?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get(&format!("/points/{}/anomalies", Uuid::nil())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn jobs_books_and_rejects_say_how_the_engine_is_doing() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    let sources = json!([{"source": {"cluster": "c", "topic": "dcmms.telemetry", "topic_id": ""}, "partition": 3, "domain": false}]);
    sqlx::query("insert into derived.jobs (job, state, durable_tick, durable_clock, sources) values ('main', 'running', 12, now(), $1)")
        .bind(sources)
        .execute(api.pool())
        .await
        .unwrap();
    sqlx::query("insert into derived.books values ('main', 0, 5, 4, 1, 9, 6, 1, 1, 0, 1, 12)").execute(api.pool()).await.unwrap();
    for (reason, n) in [("future", 1), ("unreadable", 2)] {
        sqlx::query(
            "insert into derived.rejects values ('main', 0, $1, '2025-11-20T10:00:00Z', $2, 1, 9, 'rejects/main.0.ndjson', 'why', 12)",
        )
        .bind(reason)
        .bind(n)
        .execute(api.pool())
        .await
        .unwrap();
    }
    let jobs = engineer.get("/jobs").await.expect(200);
    assert_eq!((&jobs.body["data"][0]["durable_tick"], &jobs.body["data"][0]["state"]), (&json!(12), &json!("running")));
    let books = engineer.get("/books").await.expect(200);
    assert_eq!((&books.body["data"][0]["balanced"], &books.body["data"][0]["partition"]), (&json!(true), &json!(3)));
    sqlx::query("update derived.books set late = 5").execute(api.pool()).await.unwrap();
    assert_eq!(engineer.get("/books").await.expect(200).body["data"][0]["balanced"], false);
    let page = engineer.get("/rejects?limit=1").await.expect(200);
    let next = page.body["page"]["next_cursor"].as_str().unwrap();
    let rest = engineer.get(&format!("/rejects?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&page.body["data"][0]["reason"], &rest.body["data"][0]["reason"]), (&json!("unreadable"), &json!("future")));
    let some = engineer.get("/rejects?filter[reason]=future&filter[partition]=3&from=2025-11-20T10:00:00Z").await.expect(200);
    assert_eq!((some.body["data"].as_array().unwrap().len(), &some.body["data"][0]["detail"]), (1, &json!("why")));
    engineer.get("/rejects?cursor=zz").await.refuses(400, "bad_cursor");
    engineer.get("/rejects?filter[partition]=one").await.refuses(400, "bad_query");
}
