//! An API on a database of its own, and clients that are someone.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use dcmms_api::{
    Limits, Service, Shared, accounts,
    publish::{Ends, Message, Once, Publish, PublishError},
};
use dcmms_schemas::{access::Role, testing::TestDatabase};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tower::ServiceExt;
use uuid::Uuid;

/// A broker that remembers, or refuses while `down`.
#[derive(Default)]
pub(crate) struct Broker {
    pub(crate) sent: Mutex<Vec<(String, Message)>>,
    /// What was sent to be there once; a partition's offsets count these only.
    pub(crate) once: Mutex<Vec<Once>>,
    pub(crate) down: std::sync::atomic::AtomicBool,
    /// Takes the next transaction, but its answer is lost.
    pub(crate) deaf: std::sync::atomic::AtomicBool,
}

impl Broker {
    /// The payloads that were sent again, as JSON.
    pub(crate) fn resent(&self) -> Vec<Value> {
        self.once.lock().unwrap().iter().map(|once| serde_json::from_slice(&once.payload).unwrap()).collect()
    }
}

impl Publish for Broker {
    fn publish(&self, topic: &str, messages: Vec<Message>) -> BoxFuture<'_, Result<(), PublishError>> {
        let topic = topic.to_owned();
        Box::pin(async move {
            if self.down.load(std::sync::atomic::Ordering::SeqCst) {
                return Err(PublishError { topic, reason: "broker is down".into() });
            }
            let mut sent = self.sent.lock().unwrap();
            sent.extend(messages.into_iter().map(|message| (topic.clone(), message)));
            Ok(())
        })
    }

    fn ends(&self, partitions: BTreeSet<(String, i32)>) -> BoxFuture<'_, Result<Ends, PublishError>> {
        let end = |place: (String, i32)| {
            let once = self.once.lock().unwrap();
            let end = once.iter().filter(|once| (&once.topic, once.partition) == (&place.0, place.1)).count() as i64;
            (place, end)
        };
        Box::pin(async move { Ok(partitions.into_iter().map(end).collect()) })
    }

    fn publish_once(&self, messages: Vec<Once>, tried: Option<Ends>) -> BoxFuture<'_, Result<(), PublishError>> {
        Box::pin(async move {
            let failed = |reason: &str| Err(PublishError { topic: "any".into(), reason: reason.into() });
            if self.down.load(std::sync::atomic::Ordering::SeqCst) {
                return failed("broker is down");
            }
            let mut once = self.once.lock().unwrap();
            let mut offsets = BTreeMap::<(String, i32), i64>::new();
            let mut there = BTreeSet::new();
            for known in once.iter() {
                let offset = offsets.entry((known.topic.clone(), known.partition)).or_default();
                if tried.as_ref().and_then(|ends| ends.get(&(known.topic.clone(), known.partition))).is_some_and(|end| *offset >= *end) {
                    there.insert(known.id.clone());
                }
                *offset += 1;
            }
            once.extend(messages.into_iter().filter(|message| !there.contains(&message.id)));
            if self.deaf.swap(false, std::sync::atomic::Ordering::SeqCst) { failed("no answer") } else { Ok(()) }
        })
    }
}

/// The API under test.
pub(crate) struct Api {
    pub(crate) database: TestDatabase,
    pub(crate) service: Shared,
    pub(crate) broker: Arc<Broker>,
    pub(crate) router: Router,
    /// History and rejects live here, for as long as this does.
    _files: tempfile::TempDir,
}

impl Api {
    pub(crate) async fn start() -> Api {
        Api::with(Limits::STANDARD).await
    }

    pub(crate) async fn with(limits: Limits) -> Api {
        let database = TestDatabase::create().await;
        let broker = Arc::new(Broker::default());
        let files = tempfile::tempdir().unwrap();
        let (history, rejects) = (files.path().join("history"), files.path().join("rejects"));
        std::fs::create_dir_all(&history).unwrap();
        std::fs::create_dir_all(&rejects).unwrap();
        let publish = Arc::clone(&broker) as Arc<dyn Publish>;
        let service = Arc::new(Service::new(database.pool().clone(), publish, limits, history, rejects));
        let router = dcmms_api::router(Arc::clone(&service));
        Api { database, service, broker, router, _files: files }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Another process of the same installation, with connections of its own, under this name.
    pub(crate) fn other_process(&self, name: &str) -> Service {
        let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(self.database.options().application_name(name));
        let (service, publish) = (&self.service, Arc::clone(&self.broker) as Arc<dyn Publish>);
        Service::new(pool, publish, service.limits.clone(), service.history.clone(), service.rejects.clone())
    }

    /// Ends all connections of that process, as its end does.
    pub(crate) async fn end_process(&self, name: &str) {
        let ended = "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity where application_name = $1 and datname = current_database()";
        sqlx::query(ended).bind(name).execute(self.pool()).await.unwrap();
    }

    pub(crate) fn nobody(&self) -> Client {
        Client { router: self.router.clone(), token: None }
    }

    /// Someone with this role.
    pub(crate) async fn role(&self, role: Role) -> Client {
        self.role_in(accounts::TENANT_DEFAULT, role).await
    }

    /// Someone with this role in a tenant of their own.
    pub(crate) async fn stranger(&self, role: Role) -> Client {
        let tenant = Uuid::new_v4();
        let made = sqlx::query("insert into app.tenants (id, code, name) values ($1, $1::text, 'Other')").bind(tenant);
        made.execute(self.pool()).await.unwrap();
        self.role_in(tenant, role).await
    }

    async fn role_in(&self, tenant: Uuid, role: Role) -> Client {
        let token = format!("dck_{}", Uuid::new_v4().simple());
        sqlx::query("insert into app.api_keys (tenant_id, name, role, prefix, secret_sha256) values ($1, $2, $3, 'dck_test', $4)")
            .bind(tenant)
            .bind(format!("test {role}"))
            .bind(role.name())
            .bind(Sha256::digest(token.as_bytes()).to_vec())
            .execute(self.pool())
            .await
            .unwrap();
        Client { router: self.router.clone(), token: Some(token) }
    }

    /// The events of one entity, in order.
    pub(crate) async fn events(&self, entity: &str) -> Vec<Value> {
        sqlx::query_scalar("select payload from app.outbox where entity = $1 order by seq")
            .bind(entity)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) router: Router,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// Null where the body is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> String {
        self.header("etag").to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// Asserts the status, showing the body when it is another.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// Asserts a problem by status and code.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, code: &str) -> Answer {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["code"], code, "{}", answer.body);
        assert!(answer.body["correlation_id"].is_string() && answer.body["instance"].is_string(), "{}", answer.body);
        answer
    }
}

impl Client {
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/v1{path}") };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.request(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn request(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, bytes, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// With a fresh Idempotency-Key.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_as(&Uuid::new_v4().to_string(), path, body).await
    }

    pub(crate) async fn post_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[JSON, ("idempotency-key", key)], body.to_string()).await
    }

    /// An action on a version that was seen.
    pub(crate) async fn act(&self, path: &str, etag: &str, body: Value) -> Answer {
        let key = Uuid::new_v4().to_string();
        self.send(Method::POST, path, &[JSON, ("idempotency-key", &key), ("if-match", etag)], body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, &[("content-type", "application/merge-patch+json"), ("if-match", etag)], body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[JSON, ("if-match", etag)], body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str, etag: &str) -> Answer {
        self.send(Method::DELETE, path, &[("if-match", etag)], "").await
    }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) fn site(code: &str) -> Value {
    json!({"code": code, "name": format!("Site {code}"), "zone": "Asia/Kolkata", "ac_kw": 8000.0, "dc_kwp": 10400.0})
}
