//! `Idempotency-Key`: a request that is sent again is answered again, not done again.
//!
//! The answer is kept in the transaction that did the work, for 72 hours; so there is no moment in which the one is
//! there without the other. While a first request is under way a second one with its key is told so. Refusals are not
//! kept: nothing was done, and the same request may succeed later.

use super::{Principal, left_open, whole};
use crate::{problem::Problem, respond::Remembered, service::Shared, work::Slot};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::sync::Mutex;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Characters of a key at most.
const KEY_LENGTH_MAX: usize = 255;
/// The headers of an answer that are kept beside its body.
const KEPT: [HeaderName; 3] = [header::ETAG, header::LOCATION, header::CONTENT_TYPE];

/// Runs the handler once per key.
pub(super) async fn once(service: &Shared, who: &Principal, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key_of(request.headers())?;
    let (mut parts, body) = request.into_parts();
    let body = whole(service, body).await?;
    let fingerprint = fingerprint(&parts, &body);
    let mut transaction = service.pool.begin().await?;
    let remembered = match lock(&mut transaction, who, &key).await {
        Ok(()) => recall(&mut transaction, who, &key, &fingerprint).await,
        Err(busy) => Err(busy),
    };
    if let Some(answer) = remembered.transpose() {
        // Not left to the drop, which frees the key only some time after the answer: the next request would find it busy.
        transaction.rollback().await?;
        return answer;
    }
    let slot = Slot(Arc::new(Mutex::new(transaction)));
    parts.extensions.insert(slot.clone());
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let mut transaction = Arc::try_unwrap(slot.0).map_err(|_| left_open())?.into_inner();
    if !response.status().is_success() {
        transaction.rollback().await?;
        return Ok(response);
    }
    let response = keep(&mut transaction, who, &key, &fingerprint, response).await?;
    transaction.commit().await?;
    Ok(response)
}

fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get(KEY) else {
        return Err(Problem::malformed(
            "idempotency_key_missing",
            "Idempotency-Key is missing; send a fresh one (a UUID, say) with every new request and the same one when you repeat it",
        ));
    };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_LENGTH_MAX => Ok(key.to_owned()),
        _ => Err(Problem::malformed("bad_idempotency_key", format!("Idempotency-Key is 1 to {KEY_LENGTH_MAX} visible ASCII characters"))),
    }
}

fn fingerprint(parts: &axum::http::request::Parts, body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    // `/api/v1` is stripped here, which is the same for all.
    hash.update([0]);
    hash.update(parts.uri.path_and_query().map_or("", |path| path.as_str()));
    hash.update([0]);
    hash.update(parts.headers.get(header::IF_MATCH).map_or(&b""[..], HeaderValue::as_bytes));
    hash.update([0]);
    hash.update(body);
    hash.finalize().to_vec()
}

/// Refuses while another request with this key is under way. The lock ends with the transaction, also when we crash.
async fn lock(connection: &mut PgConnection, who: &Principal, key: &str) -> Result<(), Problem> {
    let free = sqlx::query_scalar::<_, bool>(include_str!("../../queries/idempotency_lock.sql"))
        .bind(format!("{}/{}/{key}", who.tenant, who.label()))
        .fetch_one(connection)
        .await?;
    if free {
        return Ok(());
    }
    let mut problem =
        Problem::conflict("idempotency_running", "a request with this Idempotency-Key is still running; ask again in a moment");
    problem.retry_after = Some(1);
    Err(problem)
}

#[derive(sqlx::FromRow)]
struct Kept {
    fingerprint: Vec<u8>,
    status: i16,
    headers: Value,
    body: Vec<u8>,
}

async fn recall(connection: &mut PgConnection, who: &Principal, key: &str, fingerprint: &[u8]) -> Result<Option<Response>, Problem> {
    let kept = sqlx::query_as::<_, Kept>(include_str!("../../queries/idempotency_recall.sql"))
        .bind(who.tenant)
        .bind(who.label())
        .bind(key)
        .fetch_optional(connection)
        .await?;
    let Some(kept) = kept else { return Ok(None) };
    if kept.fingerprint != fingerprint {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-mismatch",
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request",
        )
        .detail("send a fresh key with a new request"));
    }
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = u16::try_from(kept.status).ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    for name in KEPT {
        if let Some(value) = kept.headers[name.as_str()].as_str().and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(response))
}

async fn keep(
    connection: &mut PgConnection,
    who: &Principal,
    key: &str,
    fingerprint: &[u8],
    response: Response,
) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let kept = match parts.extensions.get::<Remembered>() {
        Some(remembered) => remembered.0.to_string().into_bytes(),
        None => body.to_vec(),
    };
    let headers = KEPT.iter().filter_map(|name| Some((name.as_str().to_owned(), Value::from(parts.headers.get(name)?.to_str().ok()?))));
    sqlx::query(include_str!("../../queries/idempotency_keep.sql"))
        .bind(who.tenant)
        .bind(who.label())
        .bind(key)
        .bind(fingerprint)
        .bind(i16::try_from(parts.status.as_u16()).unwrap_or(200))
        .bind(Value::Object(headers.collect()))
        .bind(kept)
        .execute(connection)
        .await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
