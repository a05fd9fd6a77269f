//! Publishes what was refused to the topic `dcmms.rejects`, for whoever wants to look at it with their own tools.
//!
//! Out of the durable files, so nothing is missing; at least once, because the place reached is noted after the broker has
//! a batch. A message that comes twice has the same key both times.

use super::files::{self, Lines, Reach};
use crate::{
    publish::{Message, PublishError},
    resend::Origin,
    service::Service,
    wake::Faults,
};
use dcmms_schemas::{rejected::Line, wire::REJECTS_TOPIC};
use serde::Serialize;
use std::{io, path::PathBuf, time::Duration};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// The topic did not get further; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RejectsError {
    #[error("look how far rejects were published")]
    Store(#[from] sqlx::Error),
    #[error("read rejects in {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("publish rejects")]
    Publish(#[from] PublishError),
}

/// Publishes for ever. Of several processes one publishes at a time, and only one that has the job's files.
pub async fn run(service: &Service) {
    let mut faults = Faults::new("publishing what was refused");
    loop {
        match step(service).await {
            Ok(published) => {
                faults.over();
                if published == 0 {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Err(error) => {
                let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                tokio::time::sleep(faults.note(&format!("{error}{why}"))).await;
            }
        }
    }
}

/// Publishes a batch of each job; says how many messages.
pub async fn step(service: &Service) -> Result<usize, RejectsError> {
    let mut guard = service.pool.begin().await?;
    let mine = sqlx::query_scalar(include_str!("../../queries/rejects_published_lock.sql")).fetch_one(&mut *guard).await?;
    let published = if mine { every_job(service).await } else { Ok(0) };
    // Waits until the lock is free again, as dropping the transaction would not.
    guard.rollback().await?;
    published
}

async fn every_job(service: &Service) -> Result<usize, RejectsError> {
    let mut published = 0;
    for reach in files::reaches(&service.pool).await? {
        published += job(service, &reach).await?;
    }
    Ok(published)
}

#[derive(sqlx::FromRow)]
struct Place {
    number: i32,
    bytes: i64,
}

async fn job(service: &Service, reach: &Reach) -> Result<usize, RejectsError> {
    let fault = |source| RejectsError::Read { path: service.rejects.clone(), source };
    let files = match reach.files(&service.rejects).await {
        Ok(files) => files,
        // The files are another machine's, whose own process publishes them.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(fault(error)),
    };
    let place: Option<Place> =
        sqlx::query_as(include_str!("../../queries/rejects_published_read.sql")).bind(&reach.job).fetch_optional(&service.pool).await?;
    let done = place.map_or((0, 0), |place| (place.number.unsigned_abs(), place.bytes.unsigned_abs()));
    let Some((number, from, upto)) = next(&files, done) else { return Ok(0) };
    let mut lines = Lines::open(&files::path(&service.rejects, &reach.job, number), from, upto).await.map_err(fault)?;
    let mut messages = Vec::new();
    while messages.len() < service.limits.resend_messages_max
        && let Some(line) = lines.next().await.map_err(fault)?
    {
        messages.extend(files::read(line, &reach.job).and_then(|line| message(reach, &line)));
    }
    let count = messages.len();
    service.publish.publish(REJECTS_TOPIC, messages).await?;
    sqlx::query(include_str!("../../queries/rejects_published_write.sql"))
        .bind(&reach.job)
        .bind(number as i32)
        .bind(lines.at as i64)
        .execute(&service.pool)
        .await?;
    metrics::counter!("dcmms_rejects_published_total").increment(count as u64);
    Ok(count)
}

/// The first stretch that is not published: file, from, upto.
fn next(files: &[(u32, u64)], done: (u32, u64)) -> Option<(u32, u64, u64)> {
    let left = |(number, bytes): &(u32, u64)| {
        let from = if *number == done.0 { done.1 } else { 0 };
        (*number >= done.0 && from < *bytes).then_some((*number, from, *bytes))
    };
    files.iter().find_map(left)
}

/// A line with its place by name.
#[derive(Serialize)]
struct Said<'a> {
    job: &'a str,
    topic: &'a str,
    partition: i32,
    #[serde(flatten)]
    line: &'a Line,
}

fn message(reach: &Reach, line: &Line) -> Option<Message> {
    let origin = Origin::of(reach, line)?;
    let said = Said { job: &reach.job, topic: &origin.topic, partition: origin.partition, line };
    let payload = serde_json::to_vec(&said).expect("a line has string keys only");
    Some(Message { key: format!("{}/{}", reach.job, origin.id()), payload: payload.into(), format: None })
}
