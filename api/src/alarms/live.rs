//! Alarms, live.

use crate::{
    extract::{Query, commas},
    gate::{Gate, Principal},
    live::{Delta, Feed, open},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::{
    access::{Feature::F23, Letter},
    alarm::state,
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use utoipa::IntoParams;
use utoipa_axum::routes;
use uuid::Uuid;

/// Alarms of one event at most, the newest onsets first.
const ALARMS_MAX: i64 = 2_000;
/// How much longer ago than the last question something may have been done to count as new: a transaction takes as long to commit.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F23), routes!(view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ViewQuery {
    /// Id of a site.
    site: Option<Uuid>,
    /// Severities, comma-separated.
    severity: Option<String>,
}

struct Alarms {
    service: Shared,
    tenant: Uuid,
    site: Option<Uuid>,
    severities: Option<Vec<String>>,
    /// When it was asked last: what people did since is new.
    asked: Mutex<Option<DateTime<Utc>>>,
}

#[derive(sqlx::FromRow)]
struct Seen {
    tick: i64,
    #[sqlx(json)]
    rows: Vec<Value>,
}

impl Feed for Alarms {
    fn rows(&self, since: Option<i64>) -> BoxFuture<'_, Result<Delta, Problem>> {
        Box::pin(async move {
            let now = self.service.now();
            let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let mut seen: Seen = sqlx::query_as(include_str!("../../queries/live_alarms.sql"))
                .bind(self.tenant)
                .bind(since)
                .bind(asked.unwrap_or(DateTime::<Utc>::UNIX_EPOCH) - OVERLAP)
                .bind(now)
                .bind(self.site)
                .bind(&self.severities)
                .bind(ALARMS_MAX)
                .fetch_one(&self.service.pool)
                .await?;
            *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            seen.rows.iter_mut().for_each(letter);
            Ok(Delta { tick: seen.tick, rows: seen.rows })
        })
    }
}

/// Adds the letter to a row, from its axes.
fn letter(entry: &mut Value) {
    let axis = |name: &str| entry["row"][name].as_str().unwrap_or_default();
    let condition = state::Condition::of(axis("condition"));
    let axes = condition.zip(state::Acknowledgement::of(axis("acknowledgement"))).zip(state::Visibility::of(axis("visibility")));
    if let Some(((condition, ack), visibility)) = axes {
        entry["row"]["state"] = state::State::of(condition, ack, visibility).letter.name().into();
    }
}

/// Streams alarms: `snapshot` first, then `change` events whose rows are `{weight, key, row}`: 1 says a row, -1 takes one
/// back; a row said again replaces the one of its key. At most 2,000 alarms at once.
#[utoipa::path(get, path = "/live/alarms", tag = "live", params(ViewQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Resume after this tick")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 400, body = Problem), (status = 503, body = Problem)))]
async fn view(
    State(service): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    Query(query): Query<ViewQuery>,
) -> Result<Response, Problem> {
    if matches!(who.letter, Letter::Assigned | Letter::Own) {
        return Err(Problem::forbidden("your role sees the alarms of assigned work; list them instead"));
    }
    let feed = Alarms {
        service: std::sync::Arc::clone(&service),
        tenant: who.tenant,
        site: query.site,
        severities: commas(query.severity.as_deref()),
        asked: Mutex::new(None),
    };
    open(&service, &headers, feed)
}
