//! The demo's data directory: whose it is, and whether what is in it can be continued.

use crate::{init, postgres::Cluster};
use anyhow::{Context, bail};
use chrono::Local;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The demo's administrator.
const EMAIL: &str = "admin@demo.example";

/// A data directory that is ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    _lock: File,
}

impl Place {
    /// Takes the directory. What an earlier in-process broker had left there cannot be continued, for its topic is gone: that
    /// directory is moved aside and a new one begins.
    pub(super) fn take(dir: &Path, in_process: bool) -> anyhow::Result<Place> {
        fs::create_dir_all(dir).with_context(|| format!("make the data directory {}", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("find the data directory {}", dir.display()))?;
        let place = Place { _lock: lock(&dir)?, dir };
        let marker = place.dir.join("broker");
        let before = fs::read_to_string(&marker).unwrap_or_default();
        if before.trim() == "in-process" {
            return place.set_aside()?.mark(in_process);
        }
        place.mark(in_process)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes which broker the offsets in the database belong to.
    fn mark(self, in_process: bool) -> anyhow::Result<Place> {
        let marker = self.dir.join("broker");
        fs::write(&marker, if in_process { "in-process\n" } else { "kafka\n" }).with_context(|| format!("write {}", marker.display()))?;
        Ok(self)
    }

    /// Moves the directory aside and begins a new one under its name.
    fn set_aside(self) -> anyhow::Result<Place> {
        let suffix = format!("old-{}", Local::now().format("%Y%m%d-%H%M%S"));
        Cluster::set_aside(&self.dir, &suffix).context("set the PostgreSQL of the earlier demo aside")?;
        let old = self.dir.with_file_name(format!("{}-{suffix}", name(&self.dir)?));
        fs::rename(&self.dir, &old).with_context(|| format!("move {} aside", self.dir.display()))?;
        tracing::warn!(
            new = %self.dir.display(), old = %old.display(),
            "the earlier demo's broker ended with its process, so its topic is gone: starting a new data directory; --kafka keeps one"
        );
        fs::create_dir_all(&self.dir).with_context(|| format!("make the data directory {}", self.dir.display()))?;
        Ok(Place { _lock: lock(&self.dir)?, dir: self.dir })
    }
}

fn name(dir: &Path) -> anyhow::Result<&str> {
    dir.file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} cannot be moved aside; choose another --data", dir.display()))
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("another dcmms demo runs on {}; stop it, or choose another --data DIR", dir.display()),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

/// How to log in to the demo.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Login {
    pub(super) email: String,
    pub(super) password: String,
}

/// The login of this data directory, made at the first start and kept beside the data for the next.
pub(super) async fn login(dir: &Path, pool: &PgPool) -> anyhow::Result<Login> {
    let file = dir.join("login.json");
    if let Ok(text) = fs::read(&file) {
        return serde_json::from_slice(&text).with_context(|| format!("read the login from {}", file.display()));
    }
    let login = Login { email: EMAIL.into(), password: init::generated() };
    dcmms_api::accounts::create_admin(pool, &login.email, &login.password).await.context("make the demo's administrator")?;
    let mut out = File::options().write(true).create(true).truncate(true).mode(0o600).open(&file).context("keep the login")?;
    serde_json::to_writer_pretty(&mut out, &login).context("keep the login")?;
    Ok(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_set_aside_after_an_in_process_broker() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("data");
        let first = Place::take(&dir, true).unwrap();
        fs::write(dir.join("something"), "old").unwrap();
        let refused = Place::take(&dir, true).unwrap_err();
        assert!(refused.to_string().contains("another dcmms demo"), "{refused}");
        drop(first);
        let second = Place::take(&dir, false).unwrap();
        assert!(!dir.join("something").exists());
        let old: Vec<_> = fs::read_dir(parent.path()).unwrap().flatten().filter(|entry| entry.path() != second.dir()).collect();
        assert_eq!(old.len(), 1);
        assert_eq!(fs::read_to_string(old[0].path().join("something")).unwrap(), "old");
        fs::write(dir.join("kept"), "by a real broker").unwrap();
        drop(second);
        let third = Place::take(&dir, false).unwrap();
        assert!(third.dir().join("kept").exists());
    }
}
