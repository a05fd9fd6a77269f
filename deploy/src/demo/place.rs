//! The demo's data directory: whose it is, and whether the broker that its offsets belong to is still there.

use crate::init;
use anyhow::{Context, bail};
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
    /// The broker that wrote here last, or the one to be used now, lives no longer than its process.
    new_broker: bool,
}

impl Place {
    /// Takes the directory and goes on with what is in it.
    pub(super) fn take(dir: &Path, in_process: bool) -> anyhow::Result<Place> {
        fs::create_dir_all(dir).with_context(|| format!("make the data directory {}", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("find the data directory {}", dir.display()))?;
        let lock = lock(&dir)?;
        let marker = dir.join("broker");
        let before = fs::read_to_string(&marker).unwrap_or_default();
        fs::write(&marker, if in_process { "in-process\n" } else { "kafka\n" }).with_context(|| format!("write {}", marker.display()))?;
        let new_broker = in_process || before.trim() == "in-process";
        Ok(Place { dir, _lock: lock, new_broker })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the topics may be others than those that the database knows: then the engine goes on from its checkpoint, at their
    /// beginning.
    pub(super) fn has_new_broker(&self) -> bool {
        self.new_broker
    }
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
    fn a_place_is_taken_once_and_keeps_what_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("data");
        let first = Place::take(&dir, true).unwrap();
        assert!(first.has_new_broker());
        fs::write(dir.join("something"), "old").unwrap();
        let refused = Place::take(&dir, true).unwrap_err();
        assert!(refused.to_string().contains("another dcmms demo"), "{refused}");
        drop(first);
        let second = Place::take(&dir, false).unwrap();
        assert!(second.has_new_broker(), "the broker of the first is gone");
        drop(second);
        let third = Place::take(&dir, false).unwrap();
        assert!(!third.has_new_broker(), "a real one stays");
        assert!(third.dir().join("something").exists());
    }
}
