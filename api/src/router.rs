//! The whole API: every resource below `/api/v1`, what watches the process beside it, and what all answers carry.

mod envelope;

use crate::{
    accounts, assets, calendars, changes, classes, health, intake, live, models, operations, plans, points, positions,
    problem::Problem,
    readings, rejects, requests,
    routes::{Route, Routes},
    rules,
    service::{Limits, Shared},
    sites, stock, unknown, upkeep,
};
use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, response::IntoResponse};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

/// Builds the router. The document at `/openapi.json` and the pages at `/docs` are made of the same routes.
pub fn router(service: Shared) -> Router {
    let (router, mut openapi) = routes(&service.limits).router.split_for_parts();
    complete(&mut openapi);
    router
        .fallback(|| async { Problem::not_found("route", "at this address") })
        .method_not_allowed_fallback(|| async {
            Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "method_not_allowed", "Not with this method")
        })
        .merge(SwaggerUi::new("/docs").url("/openapi.json", openapi))
        .layer(DefaultBodyLimit::max(service.limits.body_bytes_max))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(std::sync::Arc::clone(&service), envelope::wrap))
        .with_state(service)
}

/// The OpenAPI 3.1 document, for whoever has no server running.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut openapi) = routes(&Limits::STANDARD).router.split_for_parts();
    complete(&mut openapi);
    openapi
}

/// Every route with what it demands.
pub fn table() -> Vec<Route> {
    routes(&Limits::STANDARD).table
}

/// The statements that are put together in the code, for the test that prepares them.
pub fn queries() -> Vec<String> {
    [assets::queries(), stock::queries(), plans::queries(), requests::queries()].concat()
}

fn routes(limits: &Limits) -> Routes {
    let plant = Routes::new().merge(sites::routes()).merge(classes::routes()).merge(positions::routes()).merge(points::routes());
    let plant =
        plant.merge(assets::routes()).merge(stock::routes()).merge(plans::routes()).merge(requests::routes()).merge(changes::routes());
    let judged = Routes::new().merge(rules::routes()).merge(calendars::routes()).merge(models::routes());
    let said = intake::routes(limits.telemetry_bytes_max).merge(readings::routes()).merge(unknown::routes()).merge(live::routes());
    let resources = accounts::routes()
        .merge(plant)
        .merge(judged)
        .merge(said)
        .merge(operations::routes())
        .merge(rejects::routes())
        .merge(upkeep::routes());
    resources.under("/api/v1").merge(health::routes())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dCMMS",
        description = "Plant telemetry into maintenance. Every answer says in `X-Logical-Time` as of which tick it is true at least; refusals are `application/problem+json`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    security(("session" = []), ("bearer" = []))
)]
struct Document;

fn complete(openapi: &mut utoipa::openapi::OpenApi) {
    let said = Document::openapi();
    openapi.info = said.info;
    openapi.security = said.security;
    let components = openapi.components.get_or_insert_default();
    components.schemas.extend(said.components.unwrap_or_default().schemas);
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(accounts::COOKIE))));
}

fn panicked(cause: Box<dyn std::any::Any + Send + 'static>) -> axum::response::Response {
    let said = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("?"), "handler panicked");
    Problem::internal().into_response()
}
