//! Counting what lies in a store, and putting the ledger right by it.

use super::{
    ledger::{Entry, enter},
    moves::LIMITED_VALUE_MAX,
};
use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Moving, Plain, actions, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F37, F40},
        Letter,
    },
    stock::count::{Counts, Event, Facts},
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
        .on(Gate::create(F40), routes!(add))
        .on(Gate::act(F40), routes!(count))
        .on(Gate::act(F40), routes!(approve))
        .on(Gate::act(F40), routes!(recount))
        .on(Gate::act(F40), routes!(cancel))
}

resource!(CountView, CountInput, "/cycle-counts", "stock", "a cycle count"; list read add);

actions!(CountView, CountSaid, Event, "/cycle-counts", "stock";
    count = Count "count" "Says how many there are of each part.";
    approve = Approve "approve" "Puts the ledger right by the differences; somebody else than who counted does it.";
    recount = Recount "recount" "Has it counted again.";
    cancel = Cancel "cancel" "Gives the count up.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountInput {
    pub(crate) store: Uuid,
    /// 1 to 500.
    pub(crate) parts: Vec<Uuid>,
    #[serde(default)]
    pub(crate) note: String,
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CountLine {
    part: Uuid,
    /// On hand, by the ledger, when it was counted.
    #[schema(value_type = String)]
    expected: Decimal,
    #[schema(value_type = String)]
    counted: Decimal,
    #[schema(value_type = String)]
    difference: Decimal,
}

row!(CountView of CountInput as count {
    status: String,
    counted_by: Option<Uuid>,
    approved_by: Option<Uuid>,
    #[sqlx(json)]
    lines: Vec<CountLine>,
});

/// How many there are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Found {
    part: Uuid,
    #[schema(value_type = String, example = "4")]
    counted: Decimal,
}

/// What a request to move a count may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CountSaid {
    pub(crate) reason: Option<String>,
    /// count: one line for each part.
    pub(crate) lines: Vec<Found>,
}

impl Plain for CountView {
    const NAME: &'static str = "cycle count";
    const PATH: &'static str = "/cycle-counts";
    const TABLE: &'static str = "cycle_counts";
    const VIEW: &'static str = "cycle_count_rows";
    const FILTERS: &'static [Column] = &[text("status", "States, comma-separated."), uuid("store", "")];
    const SORTS: &'static [Column] = &[crate::resource::time("created_at")];
    const NEWEST_FIRST: bool = true;

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        _: Option<&CountView>,
        input: &CountInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let known = sqlx::query_scalar::<_, i64>(include_str!("../../queries/parts_known.sql")).bind(who.tenant).bind(&input.parts);
        if known.fetch_one(connection).await? != input.parts.len() as i64 {
            return Err(Problem::field("/parts", "unknown", "each part exists and is named once"));
        }
        Ok(json!({}))
    }
}

#[derive(sqlx::FromRow)]
struct Difference {
    part: Uuid,
    number: String,
    difference: Decimal,
    average_cost: Option<Decimal>,
    on_hand: Decimal,
    reserved: Decimal,
}

impl CountView {
    /// The differences with what they meet, levels held in the order of their parts.
    async fn differences(&self, connection: &mut PgConnection) -> Result<Vec<Difference>, Problem> {
        let rows = sqlx::query_as(include_str!("../../queries/count_differences.sql")).bind(self.id).bind(self.count.store);
        Ok(rows.fetch_all(connection).await?)
    }
}

impl Moving for CountView {
    type Machine = Counts;
    type Said = CountSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        format!("the count of {} parts", self.count.parts.len())
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &CountSaid,
        _: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let mut missing: Vec<_> =
            self.count.parts.iter().copied().filter(|part| !said.lines.iter().any(|line| line.part == *part)).collect();
        missing.extend(said.lines.iter().map(|line| line.part).filter(|part| !self.count.parts.contains(part)));
        if said.lines.iter().any(|line| line.counted.is_sign_negative() && !line.counted.is_zero()) {
            return Err(Problem::field("/lines", "out_of_range", "nobody counts less than nothing"));
        }
        let differences = if event == Event::Approve { self.differences(connection).await? } else { vec![] };
        let value: Decimal = differences.iter().map(|line| line.difference.abs() * line.average_cost.unwrap_or_default()).sum();
        let limited = who.letter != Letter::Full && value > Decimal::from(LIMITED_VALUE_MAX);
        let oversold = differences.iter().filter(|line| line.on_hand + line.difference < line.reserved);
        Ok(Facts {
            actor: who.id,
            counted_by: self.counted_by,
            reason: said.reason.clone(),
            parts_missing: if event == Event::Count { missing } else { vec![] },
            oversold: oversold
                .map(|line| {
                    format!(
                        "{}: {} would be left, {} are promised",
                        line.number,
                        (line.on_hand + line.difference).normalize(),
                        line.reserved.normalize()
                    )
                })
                .collect(),
            above_limit: limited.then(|| format!("{} is above your limit of {LIMITED_VALUE_MAX}", value.normalize())),
        })
    }

    async fn effects(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &CountSaid,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        match event {
            Event::Count => {
                let (parts, counted): (Vec<_>, Vec<_>) = said.lines.iter().map(|line| (line.part, line.counted)).unzip();
                let query = sqlx::query(include_str!("../../queries/count_lines_write.sql")).bind(self.id).bind(self.count.store);
                query.bind(parts).bind(counted).execute(connection).await?;
                Ok(json!({ "counted_by": who.id }))
            }
            Event::Approve => {
                for line in self.differences(connection).await?.iter().filter(|line| !line.difference.is_zero()) {
                    let entry = Entry {
                        cycle_count: Some(self.id),
                        unit_cost: line.average_cost,
                        ..Entry::of("count_diff", line.part, self.count.store, line.difference)
                    };
                    enter(connection, who.tenant, &entry, &who.name, now).await?;
                }
                Ok(json!({ "approved_by": who.id }))
            }
            Event::Recount => {
                sqlx::query(include_str!("../../queries/count_lines_clear.sql")).bind(self.id).execute(connection).await?;
                Ok(json!({ "counted_by": null }))
            }
            Event::Cancel => Ok(json!({})),
        }
    }
}
