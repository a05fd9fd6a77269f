//! Business calendars and their holidays.

mod business;
mod store;
mod view;

pub use store::{create, fetch};
pub use view::{CalendarInput, CalendarView};

use crate::{
    extract::{At, IfMatch, Json},
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text},
    respond::Tagged,
    routes::Routes,
    work::Work,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F56;
use serde::Deserialize;
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;
use view::HolidayInput;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F56), routes!(list))
        .on(Gate::read(F56), routes!(read))
        .on(Gate::read(F56), routes!(business::time))
        .on(Gate::create(F56), routes!(add))
        .on(Gate::change(F56), routes!(change))
        .on(Gate::change(F56), routes!(put_holidays))
        .on(Gate::change(F56), routes!(remove))
}

resource!(CalendarView, CalendarInput, "/calendars", "calendars", "a calendar with its holidays";
    list
    read
    add
    change "Every SLA clock that stands on it is reckoned anew."
    remove "One that an SLA policy uses is refused.");

impl Resource for CalendarView {
    type Input = CalendarInput;
    const PATH: &'static str = "/calendars";
    const FILTERS: &'static [Column] = &[];
    const SORTS: &'static [Column] = &[text("name", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &CalendarInput {
        &self.calendar
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<CalendarView>, Problem> {
        store::list(pool, who.tenant, asked.after_text().map(|(name, _)| name), asked.limit).await
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<CalendarView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<CalendarView, Problem> {
        store::lock(connection, who.tenant, id).await
    }

    async fn create(
        connection: &mut PgConnection,
        who: &Principal,
        input: CalendarInput,
        _: DateTime<Utc>,
    ) -> Result<CalendarView, Problem> {
        create(connection, who.tenant, input).await
    }

    async fn update(
        connection: &mut PgConnection,
        who: &Principal,
        current: CalendarView,
        whole: CalendarInput,
        _: DateTime<Utc>,
    ) -> Result<CalendarView, Problem> {
        store::update(connection, who.tenant, current.id, whole).await
    }

    async fn archive(connection: &mut PgConnection, who: &Principal, current: CalendarView, _: DateTime<Utc>) -> Result<(), Problem> {
        store::archive(connection, who.tenant, current.id).await
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Holidays {
    holidays: Vec<HolidayInput>,
}

/// Says all holidays of a calendar at once.
#[utoipa::path(put, path = "/calendars/{id}/holidays", tag = "calendars", params(("id" = Uuid, Path)), request_body = Holidays,
    responses((status = 200, body = CalendarView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn put_holidays(
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(input): Json<Holidays>,
) -> Result<Tagged<CalendarView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let whole = CalendarInput { holidays: input.holidays, ..current.calendar };
    Ok(Tagged(store::update(&mut work, tenant, id, whole).await?))
}
