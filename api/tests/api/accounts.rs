use crate::support::{Api, Client, JSON};
use axum::http::Method;
use dcmms_api::accounts;
use dcmms_schemas::access::Role;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

async fn admin(api: &Api) -> Client {
    accounts::create_admin(api.pool(), "Admin@Example.com", PASSWORD).await.unwrap();
    let answer = login(api, "admin@example.com", PASSWORD).await.expect(200);
    Client { token: Some(answer.body["token"].as_str().unwrap().to_owned()), ..api.nobody() }
}

async fn login(api: &Api, email: &str, password: &str) -> crate::support::Answer {
    api.nobody().send(Method::POST, "/auth/login", &[JSON], json!({"email": email, "password": password}).to_string()).await
}

#[tokio::test]
async fn a_session_begins_with_a_password_and_ends_with_logout() {
    let api = Api::start().await;
    let admin = admin(&api).await;
    let me = admin.get("/me").await.expect(200);
    assert_eq!((me.body["role"].as_str(), me.body["features"]["F70"].as_str()), (Some("tenant_admin"), Some("full")));
    assert_eq!(me.body["features"]["F05"], json!(null));

    let cookie = login(&api, "admin@example.com", PASSWORD).await.expect(200).header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    api.nobody().send(Method::GET, "/me", &[("cookie", cookie)], "").await.expect(200);

    admin.send(Method::POST, "/auth/logout", &[], "").await.expect(204);
    admin.get("/me").await.refuses(401, "unauthenticated");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer_until_they_must_wait() {
    let api = Api::start().await;
    admin(&api).await;
    let wrong = login(&api, "admin@example.com", "wrong horse battery").await.refuses(401, "unauthenticated");
    let unknown = login(&api, "nobody@example.com", "wrong horse battery").await.refuses(401, "unauthenticated");
    assert_eq!(wrong.body["detail"], unknown.body["detail"]);
    sqlx::query("insert into app.login_failures (email) select 'admin@example.com' from generate_series(1, 9)")
        .execute(api.pool())
        .await
        .unwrap();
    login(&api, "admin@example.com", PASSWORD).await.refuses(429, "login_locked");
    sqlx::query("update app.login_failures set at = at - interval '16 minutes'").execute(api.pool()).await.unwrap();
    login(&api, "admin@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn idle_and_old_sessions_end() {
    let api = Api::start().await;
    let admin = admin(&api).await;
    sqlx::query("update app.sessions set last_used_at = now() - interval '31 minutes'").execute(api.pool()).await.unwrap();
    admin.get("/me").await.refuses(401, "unauthenticated");
    sqlx::query("update app.sessions set last_used_at = now(), expires_at = now() - interval '1 second'")
        .execute(api.pool())
        .await
        .unwrap();
    admin.get("/me").await.refuses(401, "unauthenticated");
}

#[tokio::test]
async fn a_key_shows_its_secret_once_and_works_until_it_is_revoked() {
    let api = Api::start().await;
    let admin = admin(&api).await;
    let body = json!({"name": "gateway", "role": "site_engineer"});
    let issued = admin.post_as("k1", "/api-keys", body.clone()).await.expect(201);
    let machine = Client { token: issued.body["secret"].as_str().map(str::to_owned), ..api.nobody() };
    assert_eq!(machine.get("/me").await.expect(200).body["bearer"], "key");

    let again = admin.post_as("k1", "/api-keys", body).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (issued.id(), "true"));
    assert!(again.body["secret"].is_null());
    let listed = admin.get("/api-keys").await.expect(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(machine.token.as_deref().unwrap()));

    let path = format!("/api-keys/{}", issued.id());
    admin.delete(&path, "\"v9\"").await.refuses(412, "stale_version");
    admin.delete(&path, "\"v1\"").await.expect(204);
    admin.delete(&path, "\"v1\"").await.refuses(404, "not_found");
    machine.get("/me").await.refuses(401, "unauthenticated");
    machine.send(Method::POST, "/auth/logout", &[], "").await.refuses(401, "unauthenticated");
    admin
        .post("/api-keys", json!({"name": "late", "role": "site_engineer", "expires_at": "2020-01-01T00:00:00Z"}))
        .await
        .refuses(422, "validation");
}

#[tokio::test]
async fn nobody_issues_a_key_with_more_than_they_have() {
    let api = Api::start().await;
    let engineer = api.role(Role::SiteEngineer).await;
    engineer.post("/api-keys", json!({"name": "own", "role": "site_engineer"})).await.expect(201);
    engineer.post("/api-keys", json!({"name": "more", "role": "tenant_admin"})).await.refuses(403, "forbidden");
    engineer.post("/api-keys", json!({"name": "?", "role": "boss"})).await.refuses(422, "bad_field");
}

#[tokio::test]
async fn users_are_made_changed_and_shut_out() {
    let api = Api::start().await;
    let admin = admin(&api).await;
    let asha = json!({"email": "asha@example.com", "name": "Asha", "role": "plant_manager", "password": PASSWORD});
    let made = admin.post("/users", asha.clone()).await.expect(201);
    assert!(!String::from_utf8_lossy(&made.bytes).contains("argon2"));
    admin.post("/users", asha).await.refuses(409, "email_taken");
    admin.post("/users", json!({"email": "x", "name": "", "role": "dispatcher", "password": "short"})).await.refuses(422, "validation");
    let token = login(&api, "asha@example.com", PASSWORD).await.expect(200).body["token"].as_str().unwrap().to_owned();
    let asha = Client { token: Some(token), ..api.nobody() };
    asha.get("/me").await.expect(200);

    let path = format!("/users/{}", made.id());
    asha.patch(&path, "\"v1\"", json!({"role": "tenant_admin"})).await.refuses(403, "forbidden");
    admin.patch(&path, "\"v1\"", json!({"status": "asleep"})).await.refuses(422, "validation");
    let changed = admin.patch(&path, "\"v1\"", json!({"status": "disabled"})).await.expect(200);
    assert_eq!(changed.etag(), "\"v2\"");
    asha.get("/me").await.refuses(401, "unauthenticated");
    login(&api, "asha@example.com", PASSWORD).await.refuses(401, "unauthenticated");

    assert_eq!(admin.get("/users?limit=1").await.expect(200).body["page"]["has_more"], true);
    let own = admin.get("/me").await.expect(200).id();
    admin.patch(&format!("/users/{own}"), "\"v1\"", json!({"role": "dispatcher"})).await.refuses(409, "own_account");
    admin.get(&format!("/users/{}", uuid::Uuid::nil())).await.refuses(404, "not_found");
}

#[tokio::test]
async fn an_administrator_needs_a_long_password() {
    let api = Api::start().await;
    let error = accounts::create_admin(api.pool(), "a@example.com", "short").await.unwrap_err();
    assert!(error.to_string().contains("at least 12"), "{error}");
    accounts::create_admin(api.pool(), "a@example.com", PASSWORD).await.unwrap();
    let error = accounts::create_admin(api.pool(), "A@example.com", PASSWORD).await.unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
}
