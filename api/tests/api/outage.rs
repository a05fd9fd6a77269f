use crate::support::{Api, JSON, site};
use axum::http::Method;
use dcmms_api::{Limits, Service, router, service};
use dcmms_schemas::{access::Role, testing::TestDatabase};
use std::sync::Arc;

/// Nobody listens on this port of the loopback.
const NOWHERE: &str = "postgres://nobody@127.0.0.1:1/nothing";

#[tokio::test]
async fn without_a_database_every_question_is_answered_with_that() {
    let pool = service::pool(NOWHERE.parse().unwrap(), 2);
    let service = Arc::new(Service::new(pool, Arc::new(crate::support::Broker::default()), Limits::STANDARD, "h".into(), "r".into()));
    let client = crate::support::Client { router: router(service), token: Some("dck_x".into()) };
    let down = client.get("/sites").await.refuses(503, "dependency_unavailable");
    assert_eq!(down.header("retry-after"), "2");
    let login = "{\"email\":\"a@example.com\",\"password\":\"correct horse battery\"}";
    client.send(Method::POST, "/auth/login", &[JSON], login).await.refuses(503, "dependency_unavailable");
}

#[tokio::test]
async fn a_connection_that_is_cut_is_replaced() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    engineer.post("/sites", site("RJ01")).await.expect(201);
    let killer = TestDatabase::create().await;
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
        .bind(sqlx::query_scalar::<_, String>("select current_database()").fetch_one(api.pool()).await.unwrap())
        .execute(killer.pool())
        .await
        .unwrap();
    engineer.get("/sites").await.expect(200);
}
