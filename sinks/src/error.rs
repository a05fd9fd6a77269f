//! What can go wrong on the way to Postgres and to the files, and what passes by itself.

use dcmms_schemas::time::Tick;
use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("`{0}` cannot be the name of a job: it becomes part of file names, so 1 to 60 of a-z, 0-9, _ and - are allowed")]
    JobName(String),
    #[error("reach PostgreSQL at {server}")]
    Connect { server: String, source: sqlx::Error },
    #[error("{doing}")]
    Statement { doing: &'static str, source: sqlx::Error },
    #[error("apply the migrations")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("job `{job}` was taken over: this is generation {ours}, the job is at {theirs}; this one stops")]
    Fenced { job: String, ours: u64, theirs: u64 },
    #[error("job `{job}` was last run by an engine that answers differently: {}. Its tables cannot be continued by this one", .differences.join("; "))]
    Fingerprint { job: String, differences: Vec<String> },
    #[error(
        "topic {topic} of job `{job}` is not the one it was: before cluster `{}`, topic id `{}`; now cluster `{}`, topic id `{}`. \
         Its offsets mean other messages now; accept the new source to go on from its beginning", .old.0, .old.1, .new.0, .new.1
    )]
    SourceChanged { job: String, topic: String, old: Box<(String, String)>, new: Box<(String, String)> },
    #[error("partition {partition} of topic {topic}, which job `{job}` has read, is gone from the broker")]
    SourceGone { job: String, topic: String, partition: i32 },
    #[error(
        "job `{job}` should be durable up to tick {expected}, but the database says {found}; somebody else has written to derived.jobs"
    )]
    Moved { job: String, expected: Tick, found: Tick },
    #[error("worker {worker} said tick {got} where tick {expected} comes next")]
    Gap { worker: usize, expected: Tick, got: Tick },
    #[error("{doing} {}", .path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{doing} {place}")]
    Store { doing: &'static str, place: String, source: object_store::Error },
    #[error(
        "job `{job}` has {checkpoints} checkpoints and none of them can be read, and what it read before tick {first} is no longer \
         recorded; so its state cannot be made again. Restore the checkpoint store from a backup, or start a new job"
    )]
    NoCheckpoint { job: String, checkpoints: usize, first: Tick },
    #[error("write {}", .path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error("the thread of {0} has ended before its time")]
    Thread(&'static str),
}

impl SinkError {
    /// True where waiting helps: the server or the disk is away for now, and nothing is wrong with what we ask.
    pub fn is_transient(&self) -> bool {
        match self {
            SinkError::Connect { source, .. } | SinkError::Statement { source, .. } => passes(source),
            SinkError::File { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::Interrupted)
            }
            // The store has tried for a while itself; what it asks for may be there later, and the job goes on meanwhile.
            SinkError::Store { source, .. } => {
                !matches!(source, object_store::Error::NotSupported { .. } | object_store::Error::UnknownConfigurationKey { .. })
            }
            _ => false,
        }
    }
}

fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code_passes(&code)),
        _ => false,
    }
}

/// SQLSTATEs of a server that is full, starting, stopping, in recovery, or that preferred somebody else this time.
fn code_passes(code: &str) -> bool {
    const CODES: [&str; 8] = ["25006", "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03"];
    code.starts_with("08") || code.starts_with("53") || code == "58030" || CODES.contains(&code)
}

/// Names what we were doing when a statement failed.
pub(crate) fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> SinkError {
    move |source| SinkError::Statement { doing, source }
}

/// The whole chain in one line, for logs and `derived.jobs.failure`.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
