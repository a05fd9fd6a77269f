//! Readings as sent, from the sealed files of the history.

use super::{Span, history};
use crate::{
    extract::{Page, PageInfo},
    problem::Problem,
    service::Shared,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::reading::beats;
use serde::Serialize;
use std::path::PathBuf;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// Files read at once, over all requests: reading is work, and the threads are few.
static READERS: Semaphore = Semaphore::const_new(4);
/// Readings looked at for one answer; a wider span is refused.
pub(super) const READINGS_MAX: usize = 500_000;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RawPage {
    data: Vec<ReadingView>,
    page: PageInfo,
    tail: Tail,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReadingView {
    at: DateTime<Utc>,
    value: f64,
    /// `good`, `uncertain` or `bad`.
    quality: &'static str,
    seq: Option<i64>,
    correction: bool,
    /// Older than the point's correction horizon when it came: not in the windows until restated.
    late: bool,
    /// When we learned it.
    tick: i64,
}

/// What is not in sealed files yet.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
struct Tail {
    /// Readings learned up to this tick are here.
    history_tick: i64,
    /// Readings up to this one are in windows and alarms.
    durable_tick: i64,
    /// True when readings of this point learned since are missing here.
    missing: bool,
    /// The moment of the point's newest reading known; those missing reach up to it.
    newest_at: Option<DateTime<Utc>>,
}

pub(super) async fn read(service: &Shared, span: Span) -> Result<RawPage, Problem> {
    let paths: Vec<String> =
        sqlx::query_scalar(include_str!("../../queries/history_files.sql")).bind(span.from).bind(span.to).fetch_all(&service.pool).await?;
    let tail = sqlx::query_as(include_str!("../../queries/history_tail.sql")).bind(span.number).fetch_one(&service.pool).await?;
    let files: Vec<PathBuf> = paths.iter().map(|path| service.history.join(path)).collect();
    let _permit = READERS.acquire().await.map_err(|_| Problem::internal())?;
    let (number, from, to) = (span.number, span.from.timestamp_micros(), span.to.timestamp_micros());
    let read = tokio::task::spawn_blocking(move || history::read(&files, number, from, to)).await;
    let rows = read.map_err(|_| Problem::internal())??;
    Ok(page(rows, &span, tail))
}

/// The winners in order of time, cut to the page.
fn page(mut rows: Vec<history::Row>, span: &Span, tail: Tail) -> RawPage {
    rows.sort_by(|one, other| {
        let rank = |row: &history::Row| (row.correction, row.seq.map(|seq| seq as u64), row.value);
        one.at.cmp(&other.at).then_with(|| beats(rank(other), rank(one)))
    });
    rows.dedup_by_key(|row| row.at);
    let page = Page::of(rows, span.limit, &span.list, |row| row.moment()).map(|row| ReadingView {
        at: row.moment(),
        value: row.value,
        quality: row.quality.name(),
        seq: row.seq,
        correction: row.correction,
        late: row.late,
        tick: row.tick,
    });
    RawPage { data: page.data, page: page.page, tail }
}
