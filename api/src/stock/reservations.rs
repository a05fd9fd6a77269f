//! Parts promised to orders. A promise is kept: what is reserved is there, whoever else asks.

use super::{
    ledger::{Entry, enter, shift, shortage},
    parts::PartView,
};
use crate::{
    gate::{Gate, Principal},
    orders::{self, By, OrderView, only_assigned},
    problem::Problem,
    resource::{Column, Find, Moving, Plain, actions, edit, refused as machine_refuses, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::Feature::{F37, F39},
    machine::after,
    stock::reservation::{Event, Facts, Reservations, State},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F37), routes!(list))
        .on(Gate::read(F37), routes!(read))
        .on(Gate::create(F39), routes!(add))
        .on(Gate::act(F39), routes!(reserve))
        .on(Gate::act(F39), routes!(pick))
        .on(Gate::act(F39), routes!(issue))
        .on(Gate::act(F39), routes!(consume))
        .on(Gate::act(F39), routes!(give_back))
        .on(Gate::act(F39), routes!(release))
}

resource!(ReservationView, ReservationInput, "/reservations", "stock", "a reservation";
    list
    read
    add "Reserves at once, or refuses with `insufficient-stock`, unless a backorder is asked for.");

actions!(ReservationView, ReservationSaid, Event, "/reservations", "stock";
    reserve = Reserve "reserve" "Reserves what was backordered.";
    pick = Pick "pick" "Says that it was taken from the shelf.";
    issue = Issue "issue" "Hands it out: it leaves the store and is a part used by the order.";
    consume = Consume "consume" "Says that it was used, but for what comes back.";
    give_back = Return "return" "Takes all of it back into the store.";
    release = Release "release" "Gives it up.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReservationInput {
    pub(crate) work_order: Uuid,
    pub(crate) part: Uuid,
    pub(crate) store: Uuid,
    #[schema(value_type = String, example = "2")]
    pub(crate) quantity: Decimal,
    #[serde(default)]
    pub(crate) needed_at: Option<DateTime<Utc>>,
    /// From then on another order may take it, unless work has begun.
    #[serde(default)]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Wait for stock if there is not enough.
    #[serde(default, skip_serializing)]
    #[sqlx(default)]
    pub(crate) backorder: bool,
}

row!(ReservationView of ReservationInput as reservation {
    status: String,
    part_number: String,
    part_name: String,
    store_code: String,
    order_number: String,
    serial: Option<String>,
    /// What came back of it.
    #[schema(value_type = String)]
    returned: Decimal,
});

/// What a request to move a reservation may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReservationSaid {
    pub(crate) reason: Option<String>,
    /// issue: of a serialised part.
    pub(crate) serial: Option<String>,
    /// consume: how many come back unused.
    #[schema(value_type = String)]
    pub(crate) returned: Decimal,
}

impl Plain for ReservationView {
    const NAME: &'static str = "reservation";
    const PATH: &'static str = "/reservations";
    const TABLE: &'static str = "reservations";
    const VIEW: &'static str = "reservation_rows";
    const FILTERS: &'static [Column] =
        &[text("status", "States, comma-separated."), uuid("work_order", ""), uuid("part", ""), uuid("store", "")];
    const SORTS: &'static [Column] = &[crate::resource::time("created_at")];
    const NEWEST_FIRST: bool = true;

    /// Decides at once, under the lock of the level.
    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        _: Option<&ReservationView>,
        input: &ReservationInput,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        if input.quantity <= Decimal::ZERO {
            return Err(Problem::field("/quantity", "out_of_range", "a quantity is above 0"));
        }
        let missing = |pointer: &'static str| {
            move |problem: Problem| if problem.status == 404 { Problem::field(pointer, "unknown", "it does not exist") } else { problem }
        };
        let order = orders::fetch(connection, who.tenant, input.work_order, only_assigned(who)).await.map_err(missing("/work_order"))?;
        let part = PartView::find(connection, who.tenant, input.part).await.map_err(missing("/part"))?;
        let mut facts = Facts {
            quantity: input.quantity,
            available: available(connection, who.tenant, input, now).await?,
            order_over: over(&order)?,
            serialised: part.part.serialised,
            serial: None,
            returned: Decimal::ZERO,
            still_needed: true,
        };
        let to = match after::<Reservations>(State::Requested, Event::Reserve, &facts) {
            Ok(to) => to,
            Err(_) if input.backorder => {
                facts.available = input.quantity;
                after::<Reservations>(State::Requested, Event::Backorder, &facts)
                    .map_err(|refused| machine_refuses("reservation", &part.part.number, refused))?
            }
            Err(refused) if facts.order_over.is_none() => return Err(shortage(refused_because(&refused))),
            Err(refused) => return Err(machine_refuses("reservation", &part.part.number, refused)),
        };
        if to.holds_stock() {
            shift(connection, who.tenant, input.part, input.store, Decimal::ZERO, input.quantity).await?;
        }
        Ok(json!({ "status": to.name(), "returned": "0" }))
    }
}

fn refused_because(refused: &dcmms_schemas::machine::Refused) -> String {
    match refused {
        dcmms_schemas::machine::Refused::Guard { needs, explain, .. } => {
            let reasons = explain.iter().map(|missing| missing.reason.as_str()).collect::<Vec<_>>().join("; ");
            format!("{reasons}. {needs}")
        }
        other => other.to_string(),
    }
}

/// What can be promised of a part in a store, held against others. What has expired there is free again.
async fn available(connection: &mut PgConnection, tenant: Uuid, input: &ReservationInput, now: DateTime<Utc>) -> Result<Decimal, Problem> {
    // The level first: whoever else decides on this part and store waits here.
    let held = sqlx::query_scalar::<_, Decimal>(include_str!("../../queries/stock_level_hold.sql"))
        .bind(tenant)
        .bind(input.part)
        .bind(input.store);
    if held.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Decimal::ZERO);
    }
    let expire =
        sqlx::query(include_str!("../../queries/reservations_expire.sql")).bind(tenant).bind(input.part).bind(input.store).bind(now);
    expire.execute(&mut *connection).await?;
    let left = sqlx::query_scalar::<_, Decimal>(include_str!("../../queries/stock_level_hold.sql"))
        .bind(tenant)
        .bind(input.part)
        .bind(input.store);
    Ok(left.fetch_one(connection).await?)
}

fn over(order: &OrderView) -> Result<Option<String>, Problem> {
    Ok(order.stage()?.is_final().then(|| format!("{} ({})", order.number, order.status)))
}

impl Moving for ReservationView {
    type Machine = Reservations;
    type Said = ReservationSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        format!("{} of {} for {}", self.reservation.quantity.normalize(), self.part_number, self.order_number)
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &ReservationSaid,
        now: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let order = orders::fetch(connection, who.tenant, self.reservation.work_order, only_assigned(who)).await?;
        let part = PartView::find(connection, who.tenant, self.reservation.part).await?;
        let available = match event {
            Event::Reserve => available(connection, who.tenant, &self.reservation, now).await?,
            _ => Decimal::ZERO,
        };
        Ok(Facts {
            quantity: self.reservation.quantity,
            available,
            order_over: over(&order)?,
            serialised: part.part.serialised,
            serial: said.serial.clone(),
            returned: said.returned,
            still_needed: true,
        })
    }

    async fn effects(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &ReservationSaid,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let (part, store, quantity) = (self.reservation.part, self.reservation.store, self.reservation.quantity);
        let entry = |kind, quantity| Entry {
            work_order: Some(self.reservation.work_order),
            reservation: Some(self.id),
            ..Entry::of(kind, part, store, quantity)
        };
        match event {
            Event::Reserve => shift(connection, who.tenant, part, store, Decimal::ZERO, quantity).await?,
            Event::Release | Event::Expire if self.holds_stock() => {
                shift(connection, who.tenant, part, store, Decimal::ZERO, -quantity).await?
            }
            Event::Issue => {
                let cost = PartView::find(connection, who.tenant, part).await?.average_cost;
                let out = Entry { reserved: -quantity, unit_cost: cost, serial: said.serial.as_deref(), ..entry("issue", -quantity) };
                enter(connection, who.tenant, &out, &who.name, now).await?;
                let line = sqlx::query(include_str!("../../queries/part_line_issue.sql")).bind(self.reservation.work_order).bind(self.id);
                let line = line.bind(format!("{} {}", self.part_number, self.part_name)).bind(quantity).bind(cost).bind(&said.serial);
                line.bind(now).execute(connection).await?;
                return Ok(json!({ "serial": said.serial }));
            }
            Event::Return | Event::Consume => {
                let back = if event == Event::Return { quantity } else { said.returned };
                if !back.is_zero() {
                    let line = sqlx::query_scalar::<_, Option<Decimal>>(include_str!("../../queries/part_line_return.sql"))
                        .bind(self.id)
                        .bind(back);
                    let cost = line.fetch_one(&mut *connection).await?;
                    let taken = Entry { unit_cost: cost, serial: self.serial.as_deref(), ..entry("return", back) };
                    enter(connection, who.tenant, &taken, &who.name, now).await?;
                }
                return Ok(json!({ "returned": back }));
            }
            _ => {}
        }
        Ok(json!({}))
    }
}

impl ReservationView {
    fn holds_stock(&self) -> bool {
        State::of(&self.status).is_some_and(State::holds_stock)
    }
}

/// Gives up all that an order had reserved, because it will not be done.
pub(crate) async fn release_all(
    connection: &mut PgConnection,
    tenant: Uuid,
    order: Uuid,
    by: &By,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let ids =
        sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/reservations_of_order.sql")).bind(order).fetch_all(&mut *connection);
    for id in ids.await? {
        let row = ReservationView::hold(connection, tenant, id).await?;
        if row.holds_stock() {
            let held = &row.reservation;
            shift(connection, tenant, held.part, held.store, Decimal::ZERO, -held.quantity).await?;
        }
        let columns = json!({ "status": State::Released.name() });
        edit(connection, (tenant, by), &row, Event::Release.name(), Some("its order is cancelled"), &columns, now).await?;
    }
    Ok(())
}

/// What an order has not accounted for: promised or issued, and neither used nor brought back; and what it still waits for.
pub(crate) async fn unsettled(connection: &mut PgConnection, order: Uuid) -> Result<(Vec<String>, Vec<String>), Problem> {
    let rows =
        sqlx::query_as::<_, (String, String)>(include_str!("../../queries/reservations_unsettled.sql")).bind(order).fetch_all(connection);
    let (waiting, open): (Vec<_>, Vec<_>) = rows.await?.into_iter().partition(|(status, _)| status == State::Backordered.name());
    let said = |(status, part): (String, String)| format!("{part} is {status}");
    Ok((open.into_iter().map(said).collect(), waiting.into_iter().map(said).collect()))
}
