//! Refused bytes, in files: `rejects/<job>.<n>.ndjson` below the data directory, one JSON object per line.
//!
//! Postgres holds how many bytes of the newest file are durable; what is beyond belongs to a transaction that did not land and is cut off.

use crate::error::SinkError;
use dcmms_schemas::{
    reading::Reject,
    rejected::Line,
    time::{Moment, Tick},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A file that has reached this size is followed by the next one.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The lines of these rejects.
pub(crate) fn lines(rejects: &[(Tick, Moment, Reject)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tick, clock, reject) in rejects {
        let (text, base64) = Line::said(&reject.bytes);
        let line = Line {
            source: reject.source,
            offset: reject.offset,
            index: reject.index,
            reason: reject.reason,
            detail: reject.detail.clone(),
            tick: *tick,
            clock: *clock,
            point: reject.point.clone(),
            format: reject.format,
            text,
            base64,
        };
        serde_json::to_writer(&mut bytes, &line).expect("a line has string keys only, so it is JSON");
        bytes.push(b'\n');
    }
    bytes
}

/// How far the files reach: which one, and how many bytes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) number: u32,
    pub(crate) bytes: u64,
}

/// The files of one job.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
    job: String,
}

impl Files {
    /// Cuts the files back to what is durable.
    pub(crate) fn open(root: &Path, job: &str, file: Option<&str>, bytes: u64) -> Result<(Files, Reach), SinkError> {
        let files = Files { root: root.to_owned(), job: job.to_owned() };
        let number = file.and_then(|file| files.number(file.rsplit('/').next().unwrap_or(file)));
        let reach = number.map_or(Reach::default(), |number| Reach { number, bytes });
        let directory = root.join("rejects");
        let fault = |doing| move |path: &Path, source| SinkError::File { doing, path: path.to_owned(), source };
        fs::create_dir_all(&directory).map_err(|error| fault("make the directory of rejects")(&directory, error))?;
        for entry in fs::read_dir(&directory).map_err(|error| fault("list the rejects in")(&directory, error))? {
            let path = entry.map_err(|error| fault("list the rejects in")(&directory, error))?.path();
            let number = path.file_name().and_then(|name| files.number(name.to_str()?));
            if number.is_some_and(|number| number > reach.number) {
                fs::remove_file(&path).map_err(|error| fault("remove the orphan")(&path, error))?;
            }
        }
        let path = root.join(files.name(reach));
        if path.exists() {
            let cut = OpenOptions::new().write(true).open(&path).and_then(|file| {
                let there = file.metadata()?.len();
                if there < reach.bytes {
                    tracing::error!(path = %path.display(), there, expected = reach.bytes, "the file of rejects is shorter than it was");
                    return Ok(());
                }
                file.set_len(reach.bytes)
            });
            cut.map_err(|error| fault("cut back")(&path, error))?;
        }
        Ok((files, reach))
    }

    /// The name of the file, relative to the data directory.
    pub(crate) fn name(&self, reach: Reach) -> String {
        format!("rejects/{}.{}.ndjson", self.job, reach.number)
    }

    /// Where the next bytes go.
    pub(crate) fn next(&self, durable: Reach) -> Reach {
        if durable.bytes < FILE_BYTES_MAX { durable } else { Reach { number: durable.number + 1, bytes: 0 } }
    }

    /// Writes at `at`, over whatever a transaction that did not land left there, and makes it durable.
    pub(crate) fn write(&self, at: Reach, bytes: &[u8]) -> Result<Reach, SinkError> {
        let path = self.root.join(self.name(at));
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            file.set_len(at.bytes)?;
            file.seek(SeekFrom::Start(at.bytes))?;
            file.write_all(bytes)?;
            file.sync_data()?;
            if at.bytes == 0 {
                File::open(self.root.join("rejects"))?.sync_all()?;
            }
            Ok(())
        };
        written().map_err(|source| SinkError::File { doing: "write rejects to", path: path.clone(), source })?;
        Ok(Reach { number: at.number, bytes: at.bytes + bytes.len() as u64 })
    }

    fn number(&self, name: &str) -> Option<u32> {
        name.strip_prefix(&self.job)?.strip_prefix('.')?.strip_suffix(".ndjson")?.parse().ok()
    }
}

#[cfg(test)]
mod tests;
