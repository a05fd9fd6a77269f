//! Removes what a start finds and no manifest knows.

use crate::error::SinkError;
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// Removes this job's files, also half written ones, that are not in `manifest` (paths relative to `root`). Gives their number.
pub(crate) fn sweep(root: &Path, job: &str, manifest: &HashSet<String>) -> Result<usize, SinkError> {
    let mut swept = 0;
    for day in entries(root)? {
        if !day.file_name().is_some_and(|name| name.to_string_lossy().starts_with("day=")) {
            continue;
        }
        for path in entries(&day)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Ok(relative) = path.strip_prefix(root) else { continue };
            if job_of(name) == Some(job) && !manifest.contains(&*relative.to_string_lossy()) {
                fs::remove_file(&path).map_err(|source| SinkError::File { doing: "remove the orphan", path: path.clone(), source })?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// The job in `<job>-<shard>-<from>-<upto>.parquet`, or in the name of a half written one; a job's name may have dashes.
fn job_of(name: &str) -> Option<&str> {
    let whole = name.strip_suffix(".tmp").and_then(|draft| draft.rsplit_once('.')).map_or(name, |(whole, _generation)| whole);
    let name = whole.strip_suffix(".parquet")?;
    let mut parts = name.rsplitn(4, '-');
    for _ in 0..3 {
        parts.next()?.parse::<u64>().ok()?;
    }
    parts.next()
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let fault = |source| SinkError::File { doing: "list the history in", path: directory.to_owned(), source };
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let read = fs::read_dir(directory).map_err(fault)?;
    read.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orphans_of_this_job_go() {
        let root = tempfile::tempdir().unwrap();
        let names = [
            "day=2026-11-21/main-0-1-5.parquet",
            "day=2026-11-21/main-0-6-9.parquet",
            "day=2026-11-21/main-0-6-9.parquet.3.tmp",
            "day=2026-11-21/main-0-0-6-9.parquet",
            "day=2026-11-21/notes.txt",
            "kept-0-1-2.parquet",
        ];
        for name in names {
            fs::create_dir_all(root.path().join(name).parent().unwrap()).unwrap();
            fs::write(root.path().join(name), "x").unwrap();
        }
        let manifest = HashSet::from([names[0].to_owned()]);
        assert_eq!(sweep(root.path(), "main", &manifest).unwrap(), 2);
        let left: Vec<&str> = names.into_iter().filter(|name| root.path().join(name).exists()).collect();
        assert_eq!(left, [names[0], names[3], names[4], names[5]]);
        assert_eq!(sweep(&root.path().join("absent"), "main", &manifest).unwrap(), 0);
    }
}
