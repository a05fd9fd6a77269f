//! What was refused, itself: the newest ones with their bytes.

use super::files::{self, Lines, Reach};
use crate::{
    extract::{Query, commas},
    gate::Principal,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::{reading::Reason, rejected::Line};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{collections::VecDeque, io, path::Path};
use utoipa::{IntoParams, ToSchema};

const SHOWN_DEFAULT: usize = 10;
const SHOWN_MAX: usize = 100;
/// How much of a job's newest files is searched for what was asked.
const SEARCHED_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SampleQuery {
    /// Reasons, comma-separated.
    #[serde(rename = "filter[reason]")]
    #[param(rename = "filter[reason]")]
    reason: Option<String>,
    #[serde(rename = "filter[job]")]
    #[param(rename = "filter[job]")]
    job: Option<String>,
    /// 1 to 100, 10 unless said.
    limit: Option<usize>,
}

/// A refused message or reading.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleView {
    pub job: String,
    pub topic: Option<String>,
    pub partition: Option<i32>,
    pub offset: i64,
    /// Which reading of the message; null when all of it was refused.
    pub index: Option<u32>,
    #[schema(example = "non_finite")]
    pub reason: &'static str,
    #[schema(example = "value is NaN")]
    pub detail: String,
    pub tick: u64,
    /// The clock when it was refused.
    pub at: Option<DateTime<Utc>>,
    pub point: Option<String>,
    /// `json` or `arrow`.
    pub format: &'static str,
    /// The bytes where they are UTF-8.
    pub text: Option<String>,
    /// The bytes where they are not.
    pub base64: Option<String>,
}

/// The newest that were found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sample {
    data: Vec<SampleView>,
}

/// Shows the newest refused messages and readings with their bytes, out of each job's newest 16 MiB.
#[utoipa::path(get, path = "/rejects/sample", tag = "operations", params(SampleQuery),
    responses((status = 200, body = Sample), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn shown(State(service): State<Shared>, _: Principal, Query(query): Query<SampleQuery>) -> Result<Json<Sample>, Problem> {
    let reasons = commas(query.reason.as_deref());
    super::known(reasons.as_deref().unwrap_or_default(), "filter[reason]")?;
    let limit = query.limit.unwrap_or(SHOWN_DEFAULT);
    if !(1..=SHOWN_MAX).contains(&limit) {
        return Err(Problem::malformed("bad_limit", format!("limit is 1 to {SHOWN_MAX}, not {limit}")));
    }
    let data = sample(&service.pool, &service.rejects, reasons.as_deref(), query.job.as_deref(), limit).await?;
    Ok(Json(Sample { data }))
}

/// The newest rejects of these reasons (all without), newest first.
pub async fn sample(
    pool: &PgPool,
    directory: &Path,
    reasons: Option<&[String]>,
    job: Option<&str>,
    limit: usize,
) -> Result<Vec<SampleView>, Problem> {
    let wanted = |reason: Reason| reasons.is_none_or(|reasons| reasons.iter().any(|name| name == reason.name()));
    let mut found = Vec::new();
    for reach in files::reaches(pool).await?.into_iter().filter(|reach| job.is_none_or(|job| reach.job == job)) {
        let lines = newest(directory, &reach, wanted, limit).await.map_err(|error| unreadable(directory, &error))?;
        found.extend(lines.into_iter().map(|line| view(&reach, line)));
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.at, one.tick, one.offset, one.index)));
    found.truncate(limit);
    Ok(found)
}

fn unreadable(directory: &Path, error: &io::Error) -> Problem {
    tracing::warn!(directory = %directory.display(), %error, "files of rejects cannot be read");
    Problem::not_found("file of rejects", "on this machine").detail("the bytes are in the data directory of the machine that ran the job")
}

async fn newest(directory: &Path, reach: &Reach, wanted: impl Fn(Reason) -> bool, limit: usize) -> io::Result<Vec<Line>> {
    let mut found: Vec<Line> = Vec::new();
    let mut left = SEARCHED_BYTES_MAX;
    for (number, bytes) in reach.files(directory).await?.into_iter().rev() {
        if found.len() >= limit || left == 0 {
            break;
        }
        let from = bytes.saturating_sub(left);
        left -= bytes - from;
        let mut lines = Lines::open(&files::path(directory, &reach.job, number), from, bytes).await?;
        if from > 0 {
            // The rest of a line that began before.
            lines.next().await?;
        }
        let mut last = VecDeque::new();
        while let Some(line) = lines.next().await? {
            last.extend(files::read(line, &reach.job).filter(|line| wanted(line.reason)));
            if last.len() > limit - found.len() {
                last.pop_front();
            }
        }
        found.extend(last.into_iter().rev());
    }
    Ok(found)
}

fn view(reach: &Reach, line: Line) -> SampleView {
    let source = reach.sources.get(usize::from(line.source));
    SampleView {
        job: reach.job.clone(),
        topic: source.map(|source| source.source.topic.clone()),
        partition: source.map(|source| source.partition),
        offset: line.offset,
        index: line.index,
        reason: line.reason.name(),
        detail: line.detail,
        tick: line.tick,
        at: DateTime::from_timestamp_micros(line.clock.0),
        point: line.point,
        format: line.format.name(),
        text: line.text,
        base64: line.base64,
    }
}
