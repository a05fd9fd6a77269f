//! Sends what was refused through again, each once: what newly known points had said before anyone knew them, and what was
//! refused for a reason that is mended.
//!
//! A request waits until the engine knows what people had changed before it ([`resend_next.sql`](../queries/resend_next.sql)),
//! because what came too early would be refused once more. Then the files of rejects are read up to what was durable of
//! them when it started, batch by batch:
//!
//! 1. where the batch ends, and where its partitions end now, is noted and committed;
//! 2. the batch is sent in one transaction of the broker ([`Publish::publish_once`](crate::publish::Publish::publish_once));
//! 3. which readings were sent, and how far the file is done, is noted in one transaction of the database.
//!
//! A stop between 1 and 3 leaves the note. Whoever goes on then reads what came after the noted ends and sends only what is
//! not among it. A sender that was only thought dead is fenced off by the broker first. So each is sent once: a request finds
//! in `app.resent` what others have sent, and one request's own batches are in the broker all or not at all.

mod batch;
mod sent;

pub(crate) use batch::Origin;

use crate::{
    publish::{Ends, Once, PublishError},
    rejects::files::{self, Lines, Reach},
    service::Service,
    wake::Faults,
};
use batch::{Batch, Wanted};
use chrono::{DateTime, Utc};
use sent::Sent;
use sqlx::types::Json;
use std::{collections::BTreeSet, io, path::PathBuf, time::Duration};
use uuid::Uuid;

/// How often unfinished requests are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// A request did not get further; it is tried again, unless its files are not here.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error("look at what is to be sent again")]
    Store(#[from] sqlx::Error),
    #[error("read rejects in {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("find the rejects of job {job} in {path}; they are in the data directory of the machine that ran it")]
    Absent { job: String, path: PathBuf, source: io::Error },
    #[error("send readings again")]
    Publish(#[from] PublishError),
}

/// Carries requests out, for ever. Of several processes one does.
pub async fn run(service: &Service) {
    let mut faults = Faults::new("sending what was refused through again");
    loop {
        match step(service).await {
            Ok(sent) => {
                faults.over();
                match sent {
                    Some(sent) => tracing::info!(sent, "what was refused was sent through again"),
                    None => tokio::time::sleep(PAUSE).await,
                }
            }
            Err(error) => {
                let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                tokio::time::sleep(faults.note(&format!("{error}{why}"))).await;
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct Resend {
    id: Uuid,
    reasons: Vec<String>,
    keys: Option<Vec<String>>,
    job: Option<String>,
    partition: Option<i32>,
    since: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    started: bool,
}

#[derive(sqlx::FromRow)]
struct Stretch {
    job: String,
    number: i32,
    bytes_total: i64,
    bytes: i64,
    batch_upto: Option<i64>,
    batch_ends: Option<Json<Vec<(String, i32, i64)>>>,
}

/// Carries out the oldest request whose time has come; says how many messages were sent, or that there is none.
pub async fn step(service: &Service) -> Result<Option<u64>, ResendError> {
    let mut guard = service.pool.begin().await?;
    let mine = sqlx::query_scalar(include_str!("../queries/resend_lock.sql")).fetch_one(&mut *guard).await?;
    let done = if mine { oldest(service).await } else { Ok(None) };
    // Waits until the lock is free again, as dropping the transaction would not.
    guard.rollback().await?;
    done
}

async fn oldest(service: &Service) -> Result<Option<u64>, ResendError> {
    let next: Option<Resend> = sqlx::query_as(include_str!("../queries/resend_next.sql")).fetch_optional(&service.pool).await?;
    let Some(resend) = next else { return Ok(None) };
    let id = resend.id;
    match carry(service, resend).await {
        Ok(sent) => Ok(Some(sent)),
        Err(error) => {
            note(service, id, &error).await?;
            Err(error)
        }
    }
}

/// Lets people see why it does not get on.
async fn note(service: &Service, id: Uuid, error: &ResendError) -> Result<(), sqlx::Error> {
    let why = std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let for_good = matches!(error, ResendError::Absent { .. });
    sqlx::query(include_str!("../queries/resend_failed.sql")).bind(id).bind(why).bind(for_good).execute(&service.pool).await?;
    Ok(())
}

async fn carry(service: &Service, resend: Resend) -> Result<u64, ResendError> {
    let reaches = files::reaches(&service.pool).await?;
    if !resend.started {
        start(service, &resend, &reaches).await?;
    }
    let wanted = Wanted {
        reasons: resend.reasons.into_iter().collect(),
        keys: resend.keys.map(|keys| keys.into_iter().collect()),
        partition: resend.partition,
        since: resend.since,
        before: resend.before,
    };
    let mut sent = 0;
    loop {
        let next = sqlx::query_as(include_str!("../queries/resend_file_next.sql")).bind(resend.id);
        let Some(stretch) = next.fetch_optional(&service.pool).await? else { break };
        sent += send(service, resend.id, &reaches, &wanted, stretch).await?;
    }
    sqlx::query(include_str!("../queries/resend_done.sql")).bind(resend.id).execute(&service.pool).await?;
    Ok(sent)
}

/// Fixes what there is to send: what comes later, refused once more maybe, is not part of it.
async fn start(service: &Service, resend: &Resend, reaches: &[Reach]) -> Result<(), ResendError> {
    let mut transaction = service.pool.begin().await?;
    for reach in reaches.iter().filter(|reach| resend.job.as_ref().is_none_or(|job| *job == reach.job)) {
        let files = reach.files(&service.rejects).await;
        let files = files.map_err(|source| ResendError::Absent { job: reach.job.clone(), path: service.rejects.clone(), source })?;
        for (number, bytes) in files {
            sqlx::query(include_str!("../queries/resend_file_add.sql"))
                .bind(resend.id)
                .bind(&reach.job)
                .bind(number as i32)
                .bind(bytes as i64)
                .execute(&mut *transaction)
                .await?;
        }
    }
    sqlx::query(include_str!("../queries/resend_start.sql")).bind(resend.id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Sends the next batch of a file.
async fn send(service: &Service, resend: Uuid, reaches: &[Reach], wanted: &Wanted, stretch: Stretch) -> Result<u64, ResendError> {
    let path = files::path(&service.rejects, &stretch.job, stretch.number.unsigned_abs());
    let absent = |source| ResendError::Absent { job: stretch.job.clone(), path: path.clone(), source };
    let reach = reaches.iter().find(|reach| reach.job == stretch.job);
    let reach = reach.ok_or_else(|| absent(io::Error::other("the job is no longer on this database")))?;
    // A batch that was begun is the same again.
    let (upto, messages_max) = match stretch.batch_upto {
        Some(upto) => (upto, usize::MAX),
        None => (stretch.bytes_total, service.limits.resend_messages_max),
    };
    let lines = Lines::open(&path, stretch.bytes.unsigned_abs(), upto.unsigned_abs()).await.map_err(absent)?;
    let batch = Batch::read(lines, reach, wanted, messages_max).await;
    let Batch { upto: read, messages } = batch.map_err(|source| ResendError::Read { path: path.clone(), source })?;
    // A file that has become shorter has no more to give.
    let upto = if read < upto.unsigned_abs() && messages.len() < messages_max { upto.unsigned_abs() } else { read };
    let mut known = Sent::of(&service.pool, messages.iter().map(|(origin, _)| origin)).await?;
    let asked = messages.len();
    let fresh: Vec<Once> = messages.into_iter().filter_map(|(origin, once)| known.add(&origin).then_some(once)).collect();
    let (sent, skipped) = (fresh.len(), asked - fresh.len());
    if !fresh.is_empty() {
        let tried = match &stretch.batch_ends {
            Some(Json(ends)) => Some(ends.iter().map(|(topic, partition, end)| ((topic.clone(), *partition), *end)).collect()),
            None => {
                begin(service, resend, &stretch, upto, &fresh).await?;
                None
            }
        };
        service.publish.publish_once(fresh, tried).await?;
    }
    let mut transaction = service.pool.begin().await?;
    known.write(&mut transaction).await?;
    sqlx::query(include_str!("../queries/resend_batch_end.sql"))
        .bind(resend)
        .bind(&stretch.job)
        .bind(stretch.number)
        .bind(upto as i64)
        .bind(sent as i64)
        .bind(skipped as i64)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    metrics::counter!("dcmms_rejects_resent_total").increment(sent as u64);
    Ok(sent as u64)
}

/// Notes that this batch is about to be sent.
async fn begin(service: &Service, resend: Uuid, stretch: &Stretch, upto: u64, messages: &[Once]) -> Result<(), ResendError> {
    let partitions: BTreeSet<_> = messages.iter().map(|once| (once.topic.clone(), once.partition)).collect();
    let ends: Ends = service.publish.ends(partitions).await?;
    let ends: Vec<_> = ends.into_iter().map(|((topic, partition), end)| (topic, partition, end)).collect();
    sqlx::query(include_str!("../queries/resend_batch_begin.sql"))
        .bind(resend)
        .bind(&stretch.job)
        .bind(stretch.number)
        .bind(upto as i64)
        .bind(Json(ends))
        .execute(&service.pool)
        .await?;
    Ok(())
}
