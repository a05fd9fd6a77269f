//! Alarms as the API says them.

use crate::{problem::Problem, respond::Versioned};
use chrono::{DateTime, Utc};
use dcmms_schemas::alarm::state::{Acknowledgement, Condition, Letter, State, Visibility};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, Row as _, postgres::PgRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// One occurrence of an alarm.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmView {
    pub id: Uuid,
    /// The letter of ISA-18.2.
    #[schema(example = "B")]
    pub state: String,
    #[schema(example = "unacknowledged")]
    pub state_name: String,
    /// `active` or `inactive`.
    pub condition: String,
    pub acknowledgement: String,
    /// `annunciated`, `shelved`, `suppressed` or `out_of_service`.
    pub visibility: String,
    pub severity: String,
    #[serde(rename = "rule")]
    pub rule_id: Uuid,
    pub rule_name: Option<String>,
    pub rule_version: i64,
    #[serde(rename = "point")]
    pub point_id: Uuid,
    #[schema(example = "RJ01/B03/INV07:inv.temp.cabinet")]
    pub point_key: String,
    pub kind: String,
    pub unit: String,
    #[serde(rename = "site")]
    pub site_id: Uuid,
    pub site_code: String,
    #[serde(rename = "position")]
    pub position_id: Option<Uuid>,
    pub position_code: Option<String>,
    /// The first breaching moment.
    pub onset: DateTime<Utc>,
    /// Onset plus delay: from when it counts as an alarm.
    pub raised: DateTime<Utc>,
    pub cleared: Option<DateTime<Utc>>,
    pub value: f64,
    pub peak: f64,
    pub threshold: f64,
    pub acked_at: Option<DateTime<Utc>>,
    pub acked_by: Option<String>,
    pub shelved_until: Option<DateTime<Utc>>,
    pub shelve_reason: Option<String>,
    pub shelved_by: Option<String>,
    #[serde(rename = "order")]
    pub order_id: Option<Uuid>,
    pub order_number: Option<String>,
    /// Its earlier ids, as late data moved the onset.
    pub moved_from: Vec<Uuid>,
    /// True once later data disproved it.
    pub retracted: bool,
    /// The tick from which this is what the engine says.
    pub from_tick: i64,
    pub upto_tick: Option<i64>,
    /// Counts what people did to it; 0 while nobody did anything.
    pub version: i64,
}

impl Versioned for AlarmView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl<'r> FromRow<'r, PgRow> for AlarmView {
    fn from_row(row: &'r PgRow) -> Result<AlarmView, sqlx::Error> {
        let (condition, acknowledgement, visibility): (String, String, String) =
            (row.try_get("condition")?, row.try_get("acknowledgement")?, row.try_get("visibility")?);
        let axes = Condition::of(&condition).zip(Acknowledgement::of(&acknowledgement)).zip(Visibility::of(&visibility));
        let ((on, ack), seen) = axes.ok_or_else(|| sqlx::Error::Decode("an axis of an alarm's state has no such value".into()))?;
        let state = State::of(on, ack, seen);
        Ok(AlarmView {
            id: row.try_get("id")?,
            state: state.letter.name().into(),
            state_name: state.name.into(),
            condition,
            acknowledgement,
            visibility,
            severity: row.try_get("severity")?,
            rule_id: row.try_get("rule_id")?,
            rule_name: row.try_get("rule_name")?,
            rule_version: row.try_get("rule_version")?,
            point_id: row.try_get("point_id")?,
            point_key: row.try_get("point_key")?,
            kind: row.try_get("kind")?,
            unit: row.try_get("unit")?,
            site_id: row.try_get("site_id")?,
            site_code: row.try_get("site_code")?,
            position_id: row.try_get("position_id")?,
            position_code: row.try_get("position_code")?,
            onset: row.try_get("onset")?,
            raised: row.try_get("raised")?,
            cleared: row.try_get("cleared")?,
            value: row.try_get("value")?,
            peak: row.try_get("peak")?,
            threshold: row.try_get("threshold")?,
            acked_at: row.try_get("acked_at")?,
            acked_by: row.try_get("acked_by")?,
            shelved_until: row.try_get("shelved_until")?,
            shelve_reason: row.try_get("shelve_reason")?,
            shelved_by: row.try_get("shelved_by")?,
            order_id: row.try_get("order_id")?,
            order_number: row.try_get("order_number")?,
            moved_from: row.try_get("moved_from")?,
            retracted: row.try_get("retracted")?,
            from_tick: row.try_get("from_tick")?,
            upto_tick: row.try_get("upto_tick")?,
            version: row.try_get("version")?,
        })
    }
}

/// Which alarms; `None` is all of them.
#[derive(Clone, Debug)]
pub struct AlarmFilter {
    pub tenant: Uuid,
    pub id: Option<Uuid>,
    pub as_of: Option<i64>,
    pub only_assigned_to: Option<Uuid>,
    pub states: Option<Vec<Letter>>,
    pub severities: Option<Vec<String>>,
    pub site: Option<Uuid>,
    pub point: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    /// Onset and id of the last one seen.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

impl AlarmFilter {
    /// All alarms of a tenant.
    pub fn of(tenant: Uuid) -> AlarmFilter {
        AlarmFilter {
            tenant,
            id: None,
            as_of: None,
            only_assigned_to: None,
            states: None,
            severities: None,
            site: None,
            point: None,
            from: None,
            to: None,
            after: None,
        }
    }
}

/// At most `rows_max` alarms, the newest onset first.
pub async fn list(
    connection: &mut PgConnection,
    filter: AlarmFilter,
    rows_max: i64,
    now: DateTime<Utc>,
) -> Result<Vec<AlarmView>, Problem> {
    let axes = filter.states.map(|letters| State::combinations(&letters));
    let column = |name: fn(&(Condition, Acknowledgement, Visibility)) -> &'static str| {
        axes.as_ref().map(|axes| axes.iter().map(name).collect::<Vec<_>>())
    };
    let query = sqlx::query_as::<_, AlarmView>(include_str!("../../queries/alarms_list.sql"))
        .bind(filter.tenant)
        .bind(filter.id)
        .bind(filter.as_of)
        .bind(now)
        .bind(filter.only_assigned_to)
        .bind(filter.severities)
        .bind(filter.site)
        .bind(filter.point)
        .bind(filter.from)
        .bind(filter.to)
        .bind(column(|(condition, _, _)| condition.name()))
        .bind(column(|(_, ack, _)| ack.name()))
        .bind(column(|(_, _, visibility)| visibility.name()))
        .bind(filter.after.map(|(onset, _)| onset))
        .bind(filter.after.map(|(_, id)| id))
        .bind(rows_max);
    Ok(query.fetch_all(connection).await?)
}
