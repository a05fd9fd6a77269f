//! The files of rejects as they are durable: `<job>.<n>.ndjson`, written by the sinks.

use dcmms_schemas::{binding::Sources, rejected::Line};
use sqlx::{PgExecutor, types::Json};
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::{
    fs::{self, File},
    io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, BufReader, SeekFrom, Take},
};

/// How far a job's files reach.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) job: String,
    pub(crate) sources: Sources,
    /// The newest file's number and how much of it is durable; `None`: the job has refused nothing.
    newest: Option<(u32, u64)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    job: String,
    sources: Json<Sources>,
    rejects_file: Option<String>,
    rejects_bytes: i64,
}

/// The reach of every job, by name.
pub(crate) async fn reaches(executor: impl PgExecutor<'_>) -> Result<Vec<Reach>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../queries/rejects_reach.sql")).fetch_all(executor).await?;
    let reach = |row: Row| {
        let file = row.rejects_file.as_deref().and_then(|file| number(file.rsplit('/').next().unwrap_or(file)));
        let newest = file.map(|(_, number)| (number, row.rejects_bytes.unsigned_abs()));
        Reach { job: row.job, sources: row.sources.0, newest }
    };
    let mut reaches: Vec<Reach> = rows.into_iter().map(reach).collect();
    reaches.sort_by(|one, other| one.job.cmp(&other.job));
    Ok(reaches)
}

/// `main.3.ndjson` is the third file of `main`.
fn number(name: &str) -> Option<(&str, u32)> {
    let (job, number) = name.strip_suffix(".ndjson")?.rsplit_once('.')?;
    Some((job, number.parse().ok()?))
}

pub(crate) fn path(directory: &Path, job: &str, number: u32) -> PathBuf {
    directory.join(format!("{job}.{number}.ndjson"))
}

impl Reach {
    /// The job's files in their order, as (number, durable bytes): all of an older one, of the newest what the job's row says.
    /// Older ones may have been removed; without the newest this is not the machine that has them.
    pub(crate) async fn files(&self, directory: &Path) -> io::Result<Vec<(u32, u64)>> {
        let Some((newest, bytes)) = self.newest else { return Ok(Vec::new()) };
        let mut entries = fs::read_dir(directory).await?;
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((_, number)) = number(&name).filter(|(job, number)| *job == self.job && *number <= newest) else { continue };
            let whole = entry.metadata().await?.len();
            found.push((number, if number == newest { whole.min(bytes) } else { whole }));
        }
        found.sort_unstable();
        if found.last().is_none_or(|(number, _)| *number != newest) {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no {}.{newest}.ndjson", self.job)));
        }
        Ok(found)
    }
}

/// A stretch of a file, line by line.
pub(crate) struct Lines {
    lines: BufReader<Take<File>>,
    /// Where the next line begins.
    pub(crate) at: u64,
    text: Vec<u8>,
}

impl Lines {
    pub(crate) async fn open(path: &Path, from: u64, upto: u64) -> io::Result<Lines> {
        let mut file = File::open(path).await?;
        file.seek(SeekFrom::Start(from)).await?;
        Ok(Lines { lines: BufReader::new(file.take(upto.saturating_sub(from))), at: from, text: Vec::new() })
    }

    /// The bytes of the next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.text.clear();
        let read = self.lines.read_until(b'\n', &mut self.text).await?;
        self.at += read as u64;
        Ok((read > 0).then_some(&self.text))
    }
}

/// Reads a line; one that cannot be read was torn by something else than us, and is passed over with a word.
pub(crate) fn read(line: &[u8], job: &str) -> Option<Line> {
    match serde_json::from_slice(line) {
        Ok(line) => Some(line),
        Err(error) => {
            tracing::warn!(job, %error, "a line of a file of rejects cannot be read");
            None
        }
    }
}
