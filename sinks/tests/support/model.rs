//! The tables, kept the plain way: one tick after the other, in maps. The second judge of what a transaction wrote.

use super::story::Said;
use dcmms_schemas::{
    books::Books,
    outcome::{Diff, Outcome},
    rollup::Level,
    time::{HOUR, Moment, Tick},
};
use sqlx::{AssertSqlSafe, PgPool};
use std::collections::BTreeMap;

macro_rules! at {
    ($column:literal) => {
        concat!("(extract(epoch from ", $column, ") * 1000000)::bigint")
    };
}
macro_rules! rollup {
    () => {
        concat!(
            "point::text, ",
            at!("start"),
            "::text, n::text, n_uncertain::text, n_bad::text, min::text, max::text, mean::text, stddev::text, first::text, ",
            at!("first_at"),
            "::text, last::text, ",
            at!("last_at"),
            "::text, tick::text"
        )
    };
}

/// A row as text, column by column.
type Row = Vec<Option<String>>;

/// Each table's rows by key; the key is the row's first columns.
#[derive(Clone, Default)]
pub struct Model {
    pub tables: BTreeMap<&'static str, BTreeMap<Vec<String>, Row>>,
    books: BTreeMap<u16, Books>,
    late: BTreeMap<(u32, i64), (i64, i64, i64)>,
    unknown: BTreeMap<String, (i64, i64, i64)>,
    rejects: BTreeMap<(u16, &'static str, i64), (i64, i64, i64)>,
    pub commands: usize,
}

macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(($value).to_text()),*] };
}

trait ToText {
    fn to_text(&self) -> Option<String>;
}

impl ToText for Moment {
    fn to_text(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

impl<T: ToText> ToText for Option<T> {
    fn to_text(&self) -> Option<String> {
        self.as_ref().and_then(ToText::to_text)
    }
}

macro_rules! to_text {
    ($($type:ty),*) => {$(
        impl ToText for $type {
            fn to_text(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}
to_text!(u8, i16, u32, i64, u64, f64, bool, String, &str, uuid::Uuid, chrono::NaiveDate);

impl Model {
    pub fn tell(&mut self, said: &Said) {
        let mut whole = Outcome::default();
        said.shares.iter().for_each(|share| whole.append(share.clone()));
        self.upserts(said.tick, &whole);
        self.differences(said.tick, &whole);
        self.counts(said, &whole);
        let mut ids: Vec<_> = whole.commands.iter().map(|command| command.id).collect();
        ids.sort();
        ids.dedup();
        self.commands += ids.len();
    }

    fn put(&mut self, table: &'static str, keys: usize, row: Row) {
        let key = row[..keys].iter().map(|column| column.clone().unwrap()).collect();
        self.tables.entry(table).or_default().insert(key, row);
    }

    fn upserts(&mut self, tick: Tick, whole: &Outcome) {
        for r in &whole.latest {
            self.put("latest", 1, row![r.point.0, r.at, r.value, r.quality as u8, tick]);
        }
        for r in &whole.scores {
            self.put("scores", 1, row![r.point.0, r.at, r.score, r.value, r.expected, tick]);
        }
        for r in &whole.score_minutes {
            self.put("scores_1m", 2, row![r.point.0, r.minute, r.score, tick]);
        }
        for r in &whole.rollups {
            let table = match r.level {
                Level::Minute => "rollups_1m",
                Level::Quarter => "rollups_15m",
                Level::Hour => "rollups_1h",
                Level::Day => "rollups_1d",
            };
            let some = |value: f64| (r.n > 0).then_some(value);
            let when = |value: Moment| (r.n > 0).then_some(value);
            let counts = row![r.point.0, r.start, r.n, r.n_uncertain, r.n_bad];
            let values = row![some(r.min), some(r.max), some(r.mean), some(r.stddev), some(r.first), when(r.first_at)];
            self.put(table, 2, [counts, values, row![some(r.last), when(r.last_at), tick]].concat());
        }
    }

    fn differences(&mut self, tick: Tick, whole: &Outcome) {
        let rows = |r: &dcmms_schemas::outcome::Anomaly| row![r.point.0, r.at, r.score, r.value, r.expected, tick];
        self.net("anomalies", 2, &whole.anomalies, rows);
        self.net("alarms", 1, &whole.alarms, |r| row![r.id.0, tick, r.raised, r.cleared, r.value, r.peak, r.severity.name()]);
        self.net("predictions", 1, &whole.predictions, |r| row![r.id.0, tick, r.position.0, r.probability, r.proposes]);
        self.net("sla_clocks", 2, &whole.clocks, |r| {
            let warned = r.warned_percent.map(i16::from);
            row![r.order.0, r.metric.name(), tick, r.state.name(), r.due, r.elapsed_s, warned]
        });
        self.net("compliance", 3, &whole.figures, |r| {
            row![r.site.0, r.month, r.metric, tick, r.value, r.numerator, r.basis, r.reason, r.through]
        });
    }

    /// Takes back first, then adds, leaving out what cancels.
    fn net<T: PartialEq>(&mut self, table: &'static str, keys: usize, diffs: &[(T, Diff)], row: impl Fn(&T) -> Row) {
        let sum = |row: &T| diffs.iter().filter(|(other, _)| other == row).map(|(_, diff)| diff).sum::<Diff>();
        let rows = self.tables.entry(table).or_default();
        for sign in [-1, 1] {
            for (value, _) in diffs.iter().filter(|(value, _)| sum(value) == sign) {
                let row = row(value);
                let key: Vec<String> = row[..keys].iter().map(|column| column.clone().unwrap()).collect();
                if sign < 0 {
                    rows.remove(&key)
                } else {
                    rows.insert(key, row)
                };
            }
        }
    }

    fn counts(&mut self, said: &Said, whole: &Outcome) {
        for (source, books) in &whole.books {
            self.books.entry(*source).or_default().add(books);
        }
        for r in &whole.late {
            let sum = self.late.entry((r.point.0, r.hour.0)).or_insert((0, i64::MAX, i64::MIN));
            *sum = (sum.0 + r.readings, sum.1.min(r.first.0), sum.2.max(r.last.0));
        }
        for r in &whole.unknown {
            let sum = self.unknown.entry(r.key.clone()).or_insert((0, i64::MAX, i64::MIN));
            *sum = (sum.0 + r.readings, sum.1.min(r.first.0), sum.2.max(r.last.0));
        }
        for r in &whole.rejects {
            let key = (r.source, r.reason.name(), said.clock.floor(HOUR).0);
            let sum = self.rejects.entry(key).or_insert((0, i64::MAX, i64::MIN));
            *sum = (sum.0 + 1, sum.1.min(r.offset), sum.2.max(r.offset));
        }
    }

    /// Compares every table with the database.
    pub async fn judge(&self, pool: &PgPool) {
        for (table, columns) in UPSERTED {
            self.judge_rows(pool, table, &format!("select array[{columns}] from derived.{table}")).await;
        }
        for (table, columns) in KEPT {
            self.judge_rows(pool, table, &format!("select array[{columns}] from derived.{table} where upto_tick is null")).await;
        }
        for (sql, expected) in self.counted() {
            let mut found: Vec<Row> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await.unwrap();
            found.sort();
            assert_eq!(found, expected, "{sql}");
        }
    }

    /// Compares the tables that keep their past with what was true at this tick.
    pub async fn judge_as_of(&self, pool: &PgPool, tick: Tick) {
        for (table, columns) in KEPT {
            let sql = format!(
                "select array[{columns}] from derived.{table} where from_tick <= {tick} and (upto_tick is null or upto_tick > {tick})"
            );
            self.judge_rows(pool, table, &sql).await;
        }
    }

    async fn judge_rows(&self, pool: &PgPool, table: &str, sql: &str) {
        let mut found: Vec<Row> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await.unwrap();
        found.sort();
        let mut expected: Vec<Row> = self.tables.get(table).into_iter().flatten().map(|(_, row)| row.clone()).collect();
        expected.sort();
        assert_eq!(found, expected, "{sql}");
    }

    fn counted(&self) -> Vec<(&'static str, Vec<Row>)> {
        let sorted = |mut rows: Vec<Row>| {
            rows.sort();
            rows
        };
        let books = self.books.iter().map(|(source, b)| row![i64::from(*source), b.messages, b.decoded, b.readings, b.accepted]).collect();
        let late = self.late.iter().map(|((point, hour), (n, first, last))| row![*point, *hour, *n, *first, *last]).collect();
        let unknown = self.unknown.iter().map(|(key, (n, first, last))| row![key.clone(), *n, *first, *last]).collect();
        let rejects = self
            .rejects
            .iter()
            .map(|((source, reason, hour), (n, first, last))| row![i64::from(*source), *reason, *hour, *n, *first, *last]);
        vec![
            ("select array[source, messages, decoded, readings, accepted]::text[] from derived.books", sorted(books)),
            (
                concat!(
                    "select array[point, ",
                    at!("hour"),
                    ", readings, ",
                    at!("first_at"),
                    ", ",
                    at!("last_at"),
                    "]::text[] from derived.pending_restatements"
                ),
                sorted(late),
            ),
            (
                concat!("select array[key, n::text, ", at!("first_at"), "::text, ", at!("last_at"), "::text] from derived.unknown_points"),
                sorted(unknown),
            ),
            (
                concat!(
                    "select array[source::text, reason, ",
                    at!("hour"),
                    "::text, n::text, first_offset::text, last_offset::text] from derived.rejects"
                ),
                sorted(rejects.collect()),
            ),
            ("select array[count(*)::text] from derived.commands", vec![row![self.commands as u64]]),
        ]
    }
}

const UPSERTED: [(&str, &str); 8] = [
    ("latest", concat!("point::text, ", at!("at"), "::text, value::text, quality::text, tick::text")),
    ("scores", concat!("point::text, ", at!("at"), "::text, score::text, value::text, expected::text, tick::text")),
    ("scores_1m", concat!("point::text, ", at!("start"), "::text, score::text, tick::text")),
    ("rollups_1m", rollup!()),
    ("rollups_15m", rollup!()),
    ("rollups_1h", rollup!()),
    ("rollups_1d", rollup!()),
    ("anomalies", concat!("point::text, ", at!("at"), "::text, score::text, value::text, expected::text, tick::text")),
];

const KEPT: [(&str, &str); 4] = [
    (
        "alarms",
        concat!("id::text, from_tick::text, ", at!("raised"), "::text, ", at!("cleared"), "::text, value::text, peak::text, severity"),
    ),
    ("predictions", "id::text, from_tick::text, position::text, probability::text, proposes::text"),
    (
        "sla_clocks",
        concat!("order_id::text, metric, from_tick::text, state, ", at!("due"), "::text, elapsed_s::text, warned_percent::text"),
    ),
    (
        "compliance",
        concat!(
            "site::text, month::text, metric, from_tick::text, value::text, numerator::text, basis, reason, ",
            at!("through"),
            "::text"
        ),
    ),
];
