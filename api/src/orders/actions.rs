//! One route per action on an order. All of them are the same: lock, compare versions, act.

use super::{
    OrderView,
    action::{ActionInput, act},
    facts,
    store::{self, By, only_assigned},
};
use crate::{
    extract::{At, IfMatch, Json},
    gate::Gate,
    problem::Problem,
    respond::Tagged,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::extract::State;
use dcmms_schemas::{
    access::Feature::{F02, F03, F04, F05, F06, F07},
    order::stage::Event,
};
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::act(F02), routes!(submit))
        .on(Gate::act(F03), routes!(approve))
        .on(Gate::act(F03), routes!(reject))
        .on(Gate::act(F04), routes!(schedule))
        .on(Gate::act(F04), routes!(unschedule))
        .on(Gate::act(F04), routes!(assign))
        .on(Gate::act(F04), routes!(reassign))
        .on(Gate::act(F05), routes!(start))
        .on(Gate::act(F05), routes!(hold))
        .on(Gate::act(F05), routes!(resume))
        .on(Gate::act(F05), routes!(complete))
        .on(Gate::act(F07), routes!(reopen))
        .on(Gate::act(F06), routes!(verify))
        .on(Gate::act(F06), routes!(close))
        .on(Gate::act(F07), routes!(cancel))
        .on(Gate::act(F07), routes!(correct))
}

async fn run(
    service: &Shared,
    mut work: Work,
    id: Uuid,
    seen: IfMatch,
    event: Event,
    input: &ActionInput,
) -> Result<Tagged<OrderView>, Problem> {
    let who = work.who.clone();
    let row = store::lock(&mut work, who.tenant, id, only_assigned(&who)).await?;
    seen.check(row.version)?;
    let actor = facts::actor(&mut work, &who).await?;
    Ok(Tagged(act(&mut work, who.tenant, row, event, (actor, &By::person(&who)), input, service.now()).await?))
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $event:ident $path:literal;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "work orders", params(("id" = Uuid, Path)), request_body = ActionInput,
            responses((status = 200, body = OrderView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
        async fn $name(
            State(service): State<Shared>,
            work: Work,
            At(id): At<Uuid>,
            seen: IfMatch,
            Json(input): Json<ActionInput>,
        ) -> Result<Tagged<OrderView>, Problem> {
            run(&service, work, id, seen, Event::$event, &input).await
        }
    )+};
}

actions! {
    /// Hands a draft in; one that needs no person's approval is approved at once.
    submit = Submit "/work-orders/{id}/actions/submit";
    /// Approves an order within the approver's limit.
    approve = Approve "/work-orders/{id}/actions/approve";
    /// Sends an order back to its draft, with a reason.
    reject = Reject "/work-orders/{id}/actions/reject";
    /// Plans the window.
    schedule = Schedule "/work-orders/{id}/actions/schedule";
    /// Takes the window back, with a reason.
    unschedule = Unschedule "/work-orders/{id}/actions/unschedule";
    /// Gives the order to a technician who is active, skilled and free.
    assign = Assign "/work-orders/{id}/actions/assign";
    /// Takes the order from its technician, with a reason.
    reassign = Reassign "/work-orders/{id}/actions/reassign";
    /// Starts the work.
    start = Start "/work-orders/{id}/actions/start";
    /// Lets the work rest, with a reason that the SLA policy may or may not accept.
    hold = Hold "/work-orders/{id}/actions/hold";
    /// Goes on.
    resume = Resume "/work-orders/{id}/actions/resume";
    /// Says that the work is done.
    complete = Complete "/work-orders/{id}/actions/complete";
    /// Takes up again what was not done well.
    reopen = Reopen "/work-orders/{id}/actions/reopen";
    /// Confirms that it is done well.
    verify = Verify "/work-orders/{id}/actions/verify";
    /// Closes the books on it.
    close = Close "/work-orders/{id}/actions/close";
    /// Gives it up, with a reason.
    cancel = Cancel "/work-orders/{id}/actions/cancel";
    /// Corrects what was said of a closed order; clocks and figures are derived anew.
    correct = Correct "/work-orders/{id}/actions/correct";
}
