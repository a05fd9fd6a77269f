//! Calendars as the API says them.

use crate::{check::Faults, problem::Problem, respond::Versioned};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use dcmms_schemas::{
    calendar::{Calendar, Holiday, Opening},
    domain,
    id::CalendarId,
    time::Moment,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Holidays of a calendar at most: decades of them.
const HOLIDAYS_MAX: usize = 2_000;

/// What is said of a calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarInput {
    #[schema(example = "Site hours")]
    pub name: String,
    /// IANA time zone.
    #[schema(example = "Asia/Kolkata")]
    pub zone: String,
    /// Weekly hours: weekday 1 (Monday) to 7, `to` exclusive; `00:00:00` as `to` is the end of the day.
    #[schema(value_type = Vec<Object>, example = json!([{"weekday": 1, "from": "09:00:00", "to": "17:00:00"}]))]
    pub openings: Vec<Opening>,
    #[serde(default)]
    pub holidays: Vec<HolidayInput>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolidayInput {
    #[schema(example = "2026-01-26")]
    pub date: NaiveDate,
    #[schema(example = "Republic Day")]
    pub name: String,
}

impl CalendarInput {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::new();
        faults.name("/name", &self.name);
        match self.zone.parse::<Tz>() {
            Err(_) => faults.add("/zone", "unknown_zone", format!("{:?} is not an IANA time zone such as Asia/Kolkata", self.zone)),
            Ok(zone) => {
                if let Err(fault) = self.calendar(Uuid::nil(), zone).check() {
                    faults.add("/openings", "bad_openings", fault.to_string());
                }
            }
        }
        faults.when(self.holidays.len() > HOLIDAYS_MAX, "/holidays", "length", format!("at most {HOLIDAYS_MAX} holidays"));
        let mut dates = HashSet::new();
        for (index, holiday) in self.holidays.iter().enumerate() {
            faults.name(&format!("/holidays/{index}/name"), &holiday.name);
            faults.when(
                !dates.insert(holiday.date),
                &format!("/holidays/{index}/date"),
                "repeated",
                format!("{} is named twice", holiday.date),
            );
        }
        faults.result()
    }

    pub(super) fn calendar(&self, id: Uuid, zone: Tz) -> Calendar {
        let holidays = self.holidays.iter().map(|holiday| Holiday { date: holiday.date, name: holiday.name.clone() }).collect();
        Calendar { id: CalendarId(id), name: self.name.clone(), zone, openings: self.openings.clone(), holidays }
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CalendarView {
    pub id: Uuid,
    #[serde(flatten)]
    pub calendar: CalendarInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for CalendarView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl CalendarView {
    /// As the engine and the clocks know it.
    pub fn noun(&self) -> Calendar {
        self.calendar.calendar(self.id, self.calendar.zone.parse().unwrap_or(Tz::UTC))
    }

    /// What the engine is told.
    pub fn event(&self, removed: bool) -> domain::Event {
        domain::Event { version: self.version, at: Moment::from(self.updated_at), removed, row: domain::Row::Calendar(self.noun()) }
    }
}
