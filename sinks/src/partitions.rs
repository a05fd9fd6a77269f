//! Time partitions of the roll-ups and of the scores of minutes, made when the first row needs them.
//!
//! 15 m and 1 h have a partition a month, 1 d one a year. Of 1 m and of the scores, the running month has one a day, so that old days are
//! dropped and not deleted row by row; a month that was over when its first row came (a replay, a back-fill) has one for all its days, so
//! that a year of old files makes 12 partitions and not 365.

use crate::error::{SinkError, doing};
use chrono::{Datelike, Days, Months, NaiveDate};
use dcmms_schemas::{
    rollup::Level,
    time::{DAY, Moment},
};
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::BTreeSet;

/// A month counts as over this long after its end: what comes in the first day is still live.
const MONTH_GRACE_MICROS: i64 = DAY;

/// A need: rows of this table and UTC day (the first of the month or year where partitions are that wide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    table: &'static str,
    width: Width,
    first: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Day,
    Month,
    Year,
}

impl Width {
    fn first(self, date: NaiveDate) -> NaiveDate {
        match self {
            Width::Day => date,
            Width::Month => date - Days::new(u64::from(date.day0())),
            Width::Year => date - Days::new(u64::from(date.ordinal0())),
        }
    }

    fn end(self, first: NaiveDate) -> NaiveDate {
        match self {
            Width::Day => first + Days::new(1),
            Width::Month => first + Months::new(1),
            Width::Year => first + Months::new(12),
        }
    }
}

impl Partition {
    pub(crate) fn of_rollup(level: Level, start: Moment) -> Partition {
        match level {
            Level::Minute => Partition::new("rollups_1m", Width::Day, start),
            Level::Quarter => Partition::new("rollups_15m", Width::Month, start),
            Level::Hour => Partition::new("rollups_1h", Width::Month, start),
            Level::Day => Partition::new("rollups_1d", Width::Year, start),
        }
    }

    pub(crate) fn of_score(minute: Moment) -> Partition {
        Partition::new("scores_1m", Width::Day, minute)
    }

    fn new(table: &'static str, width: Width, at: Moment) -> Partition {
        Partition { table, width, first: width.first(at.utc().date_naive()) }
    }

    fn wide(self, width: Width) -> Partition {
        Partition { width, first: width.first(self.first), ..self }
    }

    fn name(self) -> String {
        let format = match self.width {
            Width::Day => "%Y%m%d",
            Width::Month => "%Y%m",
            Width::Year => "%Y",
        };
        format!("{}_{}", self.table, self.first.format(format))
    }

    /// What to make for this need, or nothing when it is there.
    fn missing(self, known: &BTreeSet<String>, clock: Moment) -> Option<Partition> {
        if known.contains(&self.name()) {
            return None;
        }
        if self.width != Width::Day {
            return Some(self);
        }
        let month = self.wide(Width::Month);
        let month_name = month.name();
        if known.contains(&month_name) {
            return None;
        }
        let over = Moment::from(Width::Month.end(month.first).and_time(chrono::NaiveTime::MIN).and_utc()).plus(MONTH_GRACE_MICROS);
        let has_days = known.range(month_name.clone()..).next().is_some_and(|name| name.starts_with(&month_name));
        Some(if over <= clock && !has_days { month } else { self })
    }

    fn create_sql(self) -> String {
        let Partition { table, width, first } = self;
        let (name, end) = (self.name(), width.end(first));
        // Attached, not made in place: that would wait for, and hold up, everybody who reads the table.
        // Room on each page lets the open windows be written again without touching the index.
        format!(
            "create table derived.{name} (like derived.{table} including all) with (fillfactor = 70);
             alter table derived.{table} attach partition derived.{name} for values from ('{first} 00:00+00') to ('{end} 00:00+00')"
        )
    }
}

/// The partitions that are there, as far as this connection has seen.
#[derive(Debug, Default)]
pub(crate) struct Known(Option<BTreeSet<String>>);

impl Known {
    /// Forgets; after a transaction that did not land, nobody knows.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// Makes what is missing, in the caller's transaction.
    pub(crate) async fn ensure(&mut self, tx: &mut PgConnection, needs: &BTreeSet<Partition>, clock: Moment) -> Result<(), SinkError> {
        if let Some(known) = &self.0
            && needs.iter().all(|need| need.missing(known, clock).is_none())
        {
            return Ok(());
        }
        if needs.is_empty() {
            return Ok(());
        }
        // Under a lock, and with fresh eyes: another job may be making the same.
        sqlx::query(include_str!("../queries/partitions_lock.sql")).execute(&mut *tx).await.map_err(doing("lock the partitions"))?;
        let names = sqlx::query_scalar::<_, String>(include_str!("../queries/partitions_select.sql")).fetch_all(&mut *tx).await;
        let mut known: BTreeSet<String> = names.map_err(doing("list the partitions"))?.into_iter().collect();
        for need in needs {
            if let Some(missing) = need.missing(&known, clock) {
                sqlx::raw_sql(AssertSqlSafe(missing.create_sql())).execute(&mut *tx).await.map_err(doing("make a partition"))?;
                known.insert(missing.name());
            }
        }
        self.0 = Some(known);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    }

    #[test]
    fn a_month_that_is_over_has_one_partition_and_the_running_one_a_day_each() {
        let clock = at("2026-11-21T10:00:00Z");
        let made = |level, start: &str, known: &[&str]| {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            Partition::of_rollup(level, at(start)).missing(&known, clock).map(Partition::name)
        };
        let cases: [(Level, &str, &[&str], Option<&str>); 10] = [
            (Level::Minute, "2026-11-21T09:59:00Z", &[], Some("rollups_1m_20261121")),
            (Level::Minute, "2026-11-03T09:59:00Z", &[], Some("rollups_1m_20261103")),
            (Level::Minute, "2026-11-03T09:59:00Z", &["rollups_1m_20261103"], None),
            (Level::Minute, "2026-10-03T09:59:00Z", &[], Some("rollups_1m_202610")),
            (Level::Minute, "2026-10-03T09:59:00Z", &["rollups_1m_202610"], None),
            (Level::Minute, "2026-10-03T09:59:00Z", &["rollups_1m_20261031", "rollups_1m_20261101"], Some("rollups_1m_20261003")),
            (Level::Minute, "2026-10-03T09:59:00Z", &["rollups_1m_20261101", "scores_1m_20261003"], Some("rollups_1m_202610")),
            (Level::Quarter, "2026-11-03T09:45:00Z", &[], Some("rollups_15m_202611")),
            (Level::Hour, "2024-02-29T09:00:00Z", &[], Some("rollups_1h_202402")),
            (Level::Day, "2024-12-31T18:30:00Z", &[], Some("rollups_1d_2024")),
        ];
        for (level, start, known, expected) in cases {
            assert_eq!(made(level, start, known).as_deref(), expected, "{start} {known:?}");
        }
    }
}
