//! Resources that move through a machine of `schemas`: lock, compare versions, gather the facts, ask the machine, carry out the effects.

use super::{Plain, Resource, edit};
use crate::{extract::IfMatch, gate::Principal, orders::By, problem::Problem, respond::Tagged, service::Shared, work::Work};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use dcmms_schemas::machine::{Machine, Named, Refused, after};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::future::Future;
use uuid::Uuid;

type State<R> = <<R as Moving>::Machine as Machine>::State;
type Event<R> = <<R as Moving>::Machine as Machine>::Event;
type Facts<R> = <<R as Moving>::Machine as Machine>::Facts;

/// A plain resource with a `status`.
pub(crate) trait Moving: Plain {
    type Machine: Machine<State: Send + Sync, Event: Send + Sync, Facts: Send + Sync>;
    /// What a request for a move may say.
    type Said: Serialize + DeserializeOwned + Send + Sync;

    fn status(&self) -> &str;
    /// How a refusal names this one: `PO-2026-000017`.
    fn label(&self) -> String;
    /// All that the guards of this event look at, from rows that the transaction holds.
    fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event<Self>,
        said: &Self::Said,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Facts<Self>, Problem>> + Send;

    /// What the move changes beside the status: further columns of the row, which it returns, and rows of other tables.
    fn effects(
        &self,
        _connection: &mut PgConnection,
        _who: &Principal,
        _event: Event<Self>,
        _said: &Self::Said,
        _now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Value, Problem>> + Send {
        async { Ok(json!({})) }
    }
}

/// Carries out one action of a request.
pub(crate) async fn act<R: Moving>(
    service: &Shared,
    mut work: Work,
    id: Uuid,
    seen: IfMatch,
    event: Event<R>,
    said: &R::Said,
) -> Result<Tagged<R>, Problem> {
    let who = work.who.clone();
    let row = <R as Resource>::lock(&mut work, &who, id).await?;
    seen.check(row.version())?;
    Ok(Tagged(Plain::shown(moved(&mut work, &who, row, event, said, service.now()).await?, &who)))
}

/// Moves a row that is held, or refuses.
pub(crate) async fn moved<R: Moving>(
    connection: &mut PgConnection,
    who: &Principal,
    row: R,
    event: Event<R>,
    said: &R::Said,
    now: DateTime<Utc>,
) -> Result<R, Problem> {
    let from = State::<R>::of(row.status()).ok_or_else(|| {
        tracing::error!(status = row.status(), machine = R::Machine::NAME, "status in the database is not a state");
        Problem::internal()
    })?;
    let facts = row.facts(connection, who, event, said, now).await?;
    let to = after::<R::Machine>(from, event, &facts).map_err(|refused| problem(R::Machine::NAME, &row.label(), refused))?;
    let mut columns = row.effects(connection, who, event, said, now).await?;
    columns["status"] = to.name().into();
    let said = serde_json::to_value(said).unwrap_or_default();
    let reason = said["reason"].as_str();
    edit(connection, (who.tenant, &By::person(who)), &row, event.name(), reason, &columns, now).await
}

/// A machine's refusal as the API says it.
pub(crate) fn problem(machine: &str, label: &str, refused: Refused) -> Problem {
    let code = machine.replace(' ', "_");
    match refused {
        Refused::NoSuchMove { from, event, allowed } => {
            let can = if allowed.is_empty() { "do nothing more".into() } else { allowed.join(", ") };
            let title = format!("A {machine} that is {from} cannot {event}");
            Problem::new(StatusCode::CONFLICT, "invalid-transition", format!("{code}.{event}.state"), title)
                .detail(format!("{label} is {from}; it can {can}"))
                .explain(vec![json!({ "from": from, "event": event, "allowed": allowed })])
        }
        Refused::Guard { event, guard, needs, explain } => {
            let explain = explain.iter().map(|missing| serde_json::to_value(missing).unwrap_or_default()).collect();
            Problem::guard(format!("{code}.{event}.guard"), guard, format!("{label} cannot {event} yet"), needs).explain(explain)
        }
    }
}

/// Writes out one handler per action: `actions!(Part, Body, "/parts", "stock"; /** Says what it does. */ approve = Approve "approve";)`.
macro_rules! actions {
    ($row:ident, $said:ident, $events:path, $path:literal, $tag:literal; $($name:ident = $event:ident $verb:literal $summary:literal;)+) => {$(
        #[utoipa::path(post, path = concat!($path, "/{id}/actions/", $verb), tag = $tag, summary = $summary,
            params(("id" = uuid::Uuid, Path)), request_body = $said,
            responses((status = 200, body = $row), (status = 404, body = $crate::problem::Problem), (status = 409, body = $crate::problem::Problem),
                (status = 412, body = $crate::problem::Problem), (status = 422, body = $crate::problem::Problem)))]
        async fn $name(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            work: $crate::work::Work,
            $crate::extract::At(id): $crate::extract::At<uuid::Uuid>,
            seen: $crate::extract::IfMatch,
            $crate::extract::Json(said): $crate::extract::Json<$said>,
        ) -> Result<$crate::respond::Tagged<$row>, $crate::problem::Problem> {
            use $events as Events;
            $crate::resource::act::<$row>(&service, work, id, seen, Events::$event, &said).await
        }
    )+};
}
pub(crate) use actions;
