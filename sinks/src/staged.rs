//! A span as bytes: what COPY sends into the staging tables, and the statements that merge them. Made once, off the async threads, and
//! sent again as it is when a transaction has to be tried again.

mod conflated;
mod counted;
mod kept;

use crate::{copy::Rows, partitions::Partition, rejects, span::Span};
use dcmms_schemas::{
    books::Books,
    time::{Moment, Tick},
};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes for one staging table, and how they get from there into the real ones.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) copy: &'static str,
    pub(crate) buffers: Vec<Vec<u8>>,
    pub(crate) merges: Vec<Merge>,
}

#[derive(Debug)]
pub(crate) struct Merge {
    pub(crate) doing: &'static str,
    pub(crate) sql: &'static str,
    /// Rows that it must touch if the tables are what the engine believes; `None` where any number is right.
    pub(crate) expected: Option<u64>,
}

impl Merge {
    fn new(doing: &'static str, sql: &'static str) -> Merge {
        Merge { doing, sql, expected: None }
    }
}

/// Everything that one transaction writes.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) upto: Tick,
    pub(crate) ticks: u64,
    pub(crate) clock: Moment,
    pub(crate) rows: u64,
    pub(crate) tables: Vec<Table>,
    pub(crate) partitions: BTreeSet<Partition>,
    /// Lines for the file of rejects.
    pub(crate) rejects: Vec<u8>,
    pub(crate) commands: usize,
    /// All sources added up, for metrics.
    pub(crate) books: Books,
    pub(crate) reasons: BTreeMap<&'static str, u64>,
}

impl Staged {
    /// Encodes a span. `rejects_file` is where its refused bytes will be found.
    pub(crate) fn of(span: &Span, job: &str, rejects_file: &str) -> Staged {
        let mut tables = Vec::new();
        let mut books = Books::default();
        span.books.values().for_each(|(_, more)| books.add(more));
        let mut reasons = BTreeMap::new();
        span.rejects.iter().for_each(|(_, _, reject)| *reasons.entry(reject.reason.name()).or_default() += 1);
        let mut rows = 0;
        let mut stage = |copy, encoded: Rows, merges: Vec<Merge>| {
            if encoded.rows() > 0 {
                rows += encoded.rows();
                tables.push(Table { copy, buffers: encoded.finish(), merges });
            }
        };
        conflated::stage(span, &mut stage);
        kept::stage(span, &mut stage);
        counted::stage(span, job, rejects_file, &mut stage);
        Staged {
            upto: span.upto,
            ticks: span.upto + 1 - span.from,
            clock: span.clock,
            rows,
            tables,
            partitions: conflated::partitions(span),
            rejects: rejects::lines(&span.rejects),
            commands: span.commands.len(),
            books,
            reasons,
        }
    }
}

/// A point's number as Postgres keeps it.
fn number(point: dcmms_schemas::id::PointNumber) -> i32 {
    i32::try_from(point.0).expect("point numbers are dense, so far below 2^31")
}

/// A tick as Postgres keeps it.
pub(crate) fn tick8(tick: Tick) -> i64 {
    i64::try_from(tick).expect("ticks count up from 1, so far below 2^63")
}
