//! Which servers to speak to: those of the configuration, or those of a demo that runs on the same data directory.

use crate::config::Config;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// What a demo tells other commands while it runs.
#[derive(Debug, Deserialize, Serialize)]
pub struct Running {
    pub pid: u32,
    pub database_url: String,
    pub brokers: String,
    pub api: String,
}

impl Running {
    fn file(data_dir: &Path) -> PathBuf {
        data_dir.join("running.json")
    }

    /// Writes it for the others; the file goes with [`Running::forget`].
    pub fn tell(&self, data_dir: &Path) -> anyhow::Result<()> {
        let file = Running::file(data_dir);
        let text = serde_json::to_vec_pretty(self).context("say what runs")?;
        std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }

    pub fn forget(data_dir: &Path) {
        // Gone already is as good.
        let _ = std::fs::remove_file(Running::file(data_dir));
    }

    fn of(config: &Config) -> Option<Running> {
        let running: Running = serde_json::from_slice(&std::fs::read(Running::file(&config.data.dir)).ok()?).ok()?;
        // A killed demo leaves the file behind.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(running.pid).ok()?);
        nix::sys::signal::kill(pid, None).is_ok().then_some(running)
    }
}

/// How to reach PostgreSQL.
pub fn database(config: &Config) -> anyhow::Result<PgConnectOptions> {
    let url = if config.database.url.is_empty() {
        Running::of(config).map(|running| running.database_url)
    } else {
        Some(config.database.url.clone())
    };
    let Some(url) = url else {
        bail!(
            "no database: set DATABASE_URL=postgres://user:password@host/dcmms (or [database] url in dcmms.toml), \
             or start `dcmms demo` with data.dir = {}",
            config.data.dir.display()
        );
    };
    PgConnectOptions::from_str(&url).context("read the database URL; write postgres://user:password@host:5432/database")
}

/// The brokers to speak to.
pub fn brokers(config: &Config) -> anyhow::Result<String> {
    if !config.kafka.brokers.is_empty() {
        return Ok(config.kafka.brokers.clone());
    }
    match Running::of(config) {
        Some(running) => Ok(running.brokers),
        None => bail!(
            "no Kafka: set DCMMS_KAFKA__BROKERS=host:9092 (or [kafka] brokers in dcmms.toml), or start `dcmms demo` with data.dir = {}",
            config.data.dir.display()
        ),
    }
}

/// A small pool for commands and for what runs beside the API; made without waiting.
pub fn pool(config: &Config) -> anyhow::Result<PgPool> {
    let options = database(config)?.application_name("dcmms");
    Ok(PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10)).connect_lazy_with(options))
}

/// [`pool`], after asking the server once, so that a command that cannot wait says at once what is wrong.
pub async fn reached(config: &Config) -> anyhow::Result<PgPool> {
    let pool = pool(config)?;
    let asked = PgConnection::connect_with(&pool.connect_options()).await;
    let connection = asked.with_context(|| format!("reach PostgreSQL at {}; is it up, and is database.url right?", place(&pool)))?;
    connection.close().await.context("reach PostgreSQL")?;
    Ok(pool)
}

/// Where a pool connects, for the log.
pub fn place(pool: &PgPool) -> String {
    let options = pool.connect_options();
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}
