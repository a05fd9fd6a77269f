//! What every answer carries: its request's id, the logical time, a problem's body, and its place in the metrics.

use crate::{problem::Problem, service::Shared};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::time::Instant;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LOGICAL_TIME: HeaderName = HeaderName::from_static("x-logical-time");
/// Characters of a caller's request id at most; longer ones are replaced by ours.
const REQUEST_ID_LENGTH_MAX: usize = 128;

pub(super) async fn wrap(State(service): State<Shared>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let unless = request.headers().get(header::IF_NONE_MATCH).cloned();
    // Taken before the handler reads: what it then reads is at least as new.
    let tick = *service.durable.borrow();
    request.extensions_mut().insert(service);

    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = told(response, problem, path, &id);
    }
    if !crate::gate::changes(&method) && unless.is_some() && response.headers().get(header::ETAG) == unless.as_ref() {
        response = unmodified(response);
    }
    let headers = response.headers_mut();
    headers.insert(LOGICAL_TIME, HeaderValue::from(tick));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16().to_string();
    metrics::counter!("dcmms_http_requests_total", "method" => method.to_string(), "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("dcmms_http_request_duration_seconds", "route" => route).record(begun.elapsed().as_secs_f64());
    response
}

fn request_id(headers: &HeaderMap) -> String {
    match headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()) {
        Some(id) if !id.is_empty() && id.len() <= REQUEST_ID_LENGTH_MAX => id.to_owned(),
        _ => uuid::Uuid::now_v7().to_string(),
    }
}

fn told(response: Response, mut problem: Problem, path: String, id: &str) -> Response {
    problem.instance = Some(path);
    problem.correlation_id = Some(id.to_owned());
    if problem.status >= 500 {
        tracing::warn!(correlation_id = id, code = problem.code, status = problem.status, "request failed");
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    Response::from_parts(parts, Body::from(serde_json::to_vec(&problem).unwrap_or_default()))
}

fn unmodified(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    Response::from_parts(parts, Body::empty())
}
