//! Service requests: asked by somebody, looked at, and made an order, or not.

mod portal;

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    orders::{self, By, Cause, OrderInput},
    problem::Problem,
    resource::{Column, Find, Moving, Plain, actions, flag, next_number, resource, row, statements, text, time, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::Feature::{F02, F03},
    order::stage::Stage,
    request::{Event, Facts, Requests},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F02), routes!(list))
        .on(Gate::read(F02), routes!(read))
        .on(Gate::create(F02), routes!(add))
        .on(Gate::change(F02).full(), routes!(change))
        .on(Gate::act(F02).full(), routes!(triage))
        .on(Gate::act(F03), routes!(approve))
        .on(Gate::act(F02).full(), routes!(reject))
        .on(Gate::act(F02).full(), routes!(merge))
        .on(Gate::act(F02).full(), routes!(convert))
        .on(Gate::act(F02).full(), routes!(close))
        .merge(portal::routes())
}

/// The statements that are put together here, for the test that prepares them.
pub(crate) fn queries() -> Vec<String> {
    statements::<RequestView>()
}

resource!(RequestView, RequestInput, "/service-requests", "requests", "a service request"; list "Newest first." read add change "Until it is approved.");

actions!(RequestView, RequestSaid, Event, "/service-requests", "requests";
    triage = Triage "triage" "Looks at a request: what it is about, and how urgent.";
    approve = Approve "approve" "Agrees that something will be done.";
    reject = Reject "reject" "Says no, with a reason.";
    merge = Merge "merge" "Says that it repeats another one.";
    convert = Convert "convert" "Makes a work order of it.";
    close = Close "close" "Closes it once its order is over.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestInput {
    #[schema(example = "Loud fan")]
    pub(crate) title: String,
    #[serde(default)]
    #[schema(example = "The cabinet of inverter 7 hums since this morning.")]
    pub(crate) text: String,
    pub(crate) site: Uuid,
    #[serde(default)]
    pub(crate) position: Option<Uuid>,
    /// `emergency`, `high`, `medium` or `low`.
    #[serde(default)]
    pub(crate) priority: Option<String>,
    /// Who noticed it, if not who writes.
    #[serde(default)]
    pub(crate) reporter: String,
    /// How to reach them.
    #[serde(default)]
    pub(crate) contact: String,
}

row!(RequestView of RequestInput as request {
    #[schema(example = "SR-2026-000017")]
    number: String,
    status: String,
    /// It came without an account, by the code on a machine.
    portal: bool,
    duplicate_of: Option<Uuid>,
    /// Numbers of the requests that repeat it.
    duplicates: Vec<String>,
    work_order: Option<Uuid>,
    order_number: Option<String>,
    order_status: Option<String>,
});

/// What a request to move one may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RequestSaid {
    pub(crate) reason: Option<String>,
    /// triage: how urgent it is.
    #[schema(example = "high")]
    pub(crate) priority: Option<String>,
    /// merge: the request that it repeats.
    pub(crate) duplicate_of: Option<Uuid>,
    /// convert: the type of the order; corrective unless said.
    #[schema(example = "corrective")]
    pub(crate) order_type: Option<String>,
}

impl RequestInput {
    /// What is wrong with it; shared with the portal.
    fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        faults.name("/title", &self.title);
        faults.when(self.text.len() > 20_000, "/text", "length", "a text has at most 20000 characters");
        faults.when(self.reporter.len() > 200, "/reporter", "length", "a name has at most 200 characters");
        faults.when(self.contact.len() > 200, "/contact", "length", "a contact has at most 200 characters");
        faults
    }
}

impl Plain for RequestView {
    const NAME: &'static str = "service request";
    const PATH: &'static str = "/service-requests";
    const TABLE: &'static str = "service_requests";
    const VIEW: &'static str = "service_request_rows";
    const FILTERS: &'static [Column] = &[
        text("status", "States, comma-separated."),
        uuid("site", ""),
        uuid("position", ""),
        flag("portal", "`true` for those without an account."),
    ];
    const SORTS: &'static [Column] = &[time("created_at")];
    const NEWEST_FIRST: bool = true;

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        current: Option<&RequestView>,
        input: &RequestInput,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = input.faults();
        if let Some(position) = input.position {
            let place = crate::positions::fetch(connection, who.tenant, position).await;
            let there = place.is_ok_and(|place| place.position.site == input.site);
            faults.when(!there, "/position", "unknown", "there is no such position at the site");
        }
        faults.result()?;
        match current {
            Some(row) if !matches!(row.status.as_str(), "new" | "triaged") => {
                Err(Problem::conflict("fixed", format!("{} is {}; it changes no more", row.number, row.status)))
            }
            Some(_) => Ok(json!({})),
            None => {
                let reporter = if input.reporter.trim().is_empty() { &who.name } else { &input.reporter };
                Ok(
                    json!({ "number": next_number(connection, who.tenant, "SR", now).await?, "reporter": reporter, "portal": false, "status": "new" }),
                )
            }
        }
    }
}

impl Moving for RequestView {
    type Machine = Requests;
    type Said = RequestSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        self.number.clone()
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        _: Event,
        said: &RequestSaid,
        _: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let original_fits = match said.duplicate_of {
            Some(id) if id != self.id => {
                RequestView::hold(connection, who.tenant, id).await.is_ok_and(|other| other.duplicate_of.is_none())
            }
            _ => false,
        };
        let over = self.order_status.as_deref().and_then(Stage::of).is_some_and(Stage::is_final);
        Ok(Facts {
            reason: said.reason.clone(),
            priority_chosen: said.priority.is_some() || self.request.priority.is_some(),
            original_fits,
            order_open: self.order_number.clone().filter(|_| !over),
        })
    }

    async fn effects(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &RequestSaid,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        match event {
            Event::Triage => Ok(json!({ "priority": said.priority.as_ref().or(self.request.priority.as_ref()) })),
            Event::Merge => {
                // Those that repeated this one repeat the other now.
                let query = sqlx::query(include_str!("../queries/request_follow_duplicates.sql")).bind(self.id).bind(said.duplicate_of);
                query.execute(connection).await?;
                Ok(json!({ "duplicate_of": said.duplicate_of }))
            }
            Event::Convert => {
                let input = self.order(said);
                input.check()?;
                let because =
                    json!({ "because": format!("Asked for by {} in {}.", self.request.reporter, self.number), "request": self.number });
                let cause = Cause { source: "request", id: self.id, command: None, because: Some(because) };
                let order = orders::create(connection, who.tenant, &input, Some(&cause), &By::person(who), now).await?;
                let order = order.ok_or_else(|| Problem::conflict("exists", "an order was made of it already"))?;
                Ok(json!({ "work_order": order.id }))
            }
            Event::Approve | Event::Reject | Event::Close => Ok(json!({})),
        }
    }
}

impl RequestView {
    fn order(&self, said: &RequestSaid) -> OrderInput {
        OrderInput {
            order_type: said.order_type.clone().unwrap_or_else(|| "corrective".into()),
            title: self.request.title.clone(),
            description: format!("{}\n\n{} of {}.", self.request.text, self.number, self.request.reporter),
            site_id: self.request.site,
            position_id: self.request.position,
            location: if self.request.position.is_some() { String::new() } else { "as the request says".into() },
            priority: self.request.priority.clone(),
            onset: Some(self.created_at),
            estimate_cost: None,
            requires_outage: false,
            signature_required: false,
            required_skills: vec![],
            required_permits: vec![],
            due_at: None,
        }
    }
}
