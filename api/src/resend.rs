//! Sends through again what newly known points had said before anyone knew them.
//!
//! An adoption waits until the engine knows its points, because a reading that came too early would be refused once
//! more: its events are published, and a tick whose clock is a little later is durable. Then the files of rejects are
//! read up to what is durable of them, and the readings of these points go to the broker in batches. Progress is noted per
//! file, so a stop in the middle repeats at most one batch; the engine drops exact repeats.

use crate::{
    publish::{Message, PublishError},
    service::Service,
    wake::Faults,
};
use dcmms_schemas::{reading::Reason, wire};
use serde::Deserialize;
use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    fs::{self, File},
    io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, BufReader, SeekFrom},
};
use uuid::Uuid;

/// Messages of one batch.
const BATCH_MESSAGES: usize = 1_000;
/// How often an unfinished adoption is looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// An adoption did not get further; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error("look at adoptions")]
    Store(#[from] sqlx::Error),
    #[error("read rejects in {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("send readings again")]
    Publish(#[from] PublishError),
}

/// Carries adoptions out, for ever.
pub async fn run(service: &Service) {
    let mut faults = Faults::new("sending readings of adopted points again");
    loop {
        match step(service).await {
            Ok(sent) => {
                faults.over();
                match sent {
                    Some(readings) => tracing::info!(readings, "readings of adopted points were sent again"),
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
struct Adoption {
    id: Uuid,
    keys: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Reach {
    job: String,
    rejects_file: Option<String>,
    rejects_bytes: i64,
}

/// Carries out the oldest adoption whose points the engine knows; says how many readings were sent, or that there is none.
pub async fn step(service: &Service) -> Result<Option<u64>, ResendError> {
    let next: Option<Adoption> = sqlx::query_as(include_str!("../queries/adoption_next.sql")).fetch_optional(&service.pool).await?;
    let Some(adoption) = next else { return Ok(None) };
    let keys: HashSet<String> = adoption.keys.into_iter().collect();
    let reaches: Vec<Reach> = sqlx::query_as(include_str!("../queries/rejects_reach.sql")).fetch_all(&service.pool).await?;
    let mut sent = 0;
    for (path, durable) in files(&service.rejects, &reaches).await? {
        sent += resend_file(service, adoption.id, &keys, &path, durable).await?;
    }
    sqlx::query(include_str!("../queries/adoption_done.sql")).bind(adoption.id).execute(&service.pool).await?;
    Ok(Some(sent))
}

/// The files of rejects with how many bytes of each are durable: all of an older one, of the newest what its job says.
async fn files(directory: &Path, reaches: &[Reach]) -> Result<Vec<(PathBuf, u64)>, ResendError> {
    let fault = |source| ResendError::Read { path: directory.to_owned(), source };
    let mut found = Vec::new();
    let mut entries = match fs::read_dir(directory).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    while let Some(entry) = entries.next_entry().await.map_err(fault)? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((job, number)) = number(&name) else { continue };
        let Some(reach) = reaches.iter().find(|reach| reach.job == job) else { continue };
        let newest = reach.rejects_file.as_deref().and_then(|file| self::number(file.rsplit('/').next().unwrap_or(file)));
        let Some((_, newest)) = newest else { continue };
        if number <= newest {
            let whole = entry.metadata().await.map_err(fault)?.len();
            let durable = if number == newest { whole.min(reach.rejects_bytes.unsigned_abs()) } else { whole };
            found.push(((job.to_owned(), number), entry.path(), durable));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path, durable)| (path, durable)).collect())
}

/// `main.3.ndjson` is the third file of `main`.
fn number(name: &str) -> Option<(&str, u32)> {
    let (job, number) = name.strip_suffix(".ndjson")?.rsplit_once('.')?;
    Some((job, number.parse().ok()?))
}

/// What of a line matters here; `docs/rejects.md` has the rest.
#[derive(Deserialize)]
struct Line {
    reason: Reason,
    #[serde(default)]
    point: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

impl Line {
    /// The message to send again, where it was an unknown point's.
    fn message(line: &str, keys: &HashSet<String>) -> Option<Message> {
        let line: Line = serde_json::from_str(line).ok()?;
        let key = line.point.filter(|point| line.reason == Reason::UnknownPoint && keys.contains(point))?;
        Some(Message { key, payload: line.text?.into(), format: None })
    }
}

async fn resend_file(service: &Service, adoption: Uuid, keys: &HashSet<String>, path: &Path, durable: u64) -> Result<u64, ResendError> {
    let fault = |source| ResendError::Read { path: path.to_owned(), source };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let done: Option<i64> = sqlx::query_scalar(include_str!("../queries/adoption_file_read.sql"))
        .bind(adoption)
        .bind(&name)
        .fetch_optional(&service.pool)
        .await?;
    let mut at = done.unwrap_or(0).unsigned_abs();
    let mut file = File::open(path).await.map_err(fault)?;
    file.seek(SeekFrom::Start(at)).await.map_err(fault)?;
    let mut lines = BufReader::new(file).take(durable.saturating_sub(at));
    let (mut batch, mut sent, mut line) = (Vec::new(), 0, String::new());
    loop {
        line.clear();
        let read = lines.read_line(&mut line).await.map_err(fault)?;
        at += read as u64;
        batch.extend(Line::message(&line, keys));
        if batch.len() == BATCH_MESSAGES || (read == 0 && !batch.is_empty()) {
            let count = batch.len() as i64;
            service.publish.publish(wire::TELEMETRY_TOPIC, std::mem::take(&mut batch)).await?;
            note(service, adoption, &name, at, count).await?;
            sent += count.unsigned_abs();
        }
        if read == 0 {
            return Ok(sent);
        }
    }
}

async fn note(service: &Service, adoption: Uuid, file: &str, bytes: u64, readings: i64) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("../queries/adoption_file_note.sql"))
        .bind(adoption)
        .bind(file)
        .bind(bytes as i64)
        .bind(readings)
        .execute(&service.pool)
        .await?;
    Ok(())
}
