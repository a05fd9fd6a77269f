//! A private PostgreSQL cluster in the data directory, for a machine that has the programs but no server to use.
//!
//! It listens on a Unix socket that only its owner can reach. It refuses to run as root, so for root it runs as the user
//! `postgres`. A cluster that a killed process left running is taken over by the next start.

mod programs;

use anyhow::{Context, bail};
use programs::Programs;
use sqlx::{Connection, PgConnection};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// The superuser and the database of the private cluster.
const NAME: &str = "dcmms";
/// A Unix socket's path has 107 bytes at most; `/.s.PGSQL.5432` takes 14 of them.
const SOCKET_DIR_BYTES_MAX: usize = 92;

/// What suits two cores beside an engine: enough cache, few and long checkpoints, every commit on disk.
const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
max_wal_size = '2GB'
checkpoint_timeout = '15min'
wal_compression = on
jit = off
autovacuum_naptime = '15s'
log_checkpoints = off
timezone = 'UTC'
";

/// A running private cluster.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    data: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

impl Cluster {
    /// Starts the cluster of this data directory, made at the first time, or takes over one that runs. Blocks for a few seconds.
    pub fn start(data_dir: &Path) -> anyhow::Result<Cluster> {
        let programs = Programs::find()?;
        let place = place(data_dir, &programs)?;
        let cluster = Cluster { data: place.join("data"), socket: socket(&place), log: place.join("postgres.log"), programs };
        if !cluster.data.join("PG_VERSION").exists() {
            cluster.create(&place)?;
        }
        cluster.check_version()?;
        if cluster.is_running()? {
            tracing::info!(data = %cluster.data.display(), "took over the PostgreSQL that an earlier run left behind");
            return Ok(cluster);
        }
        cluster.programs.own_dir(&cluster.socket)?;
        cluster.write_settings()?;
        let log = cluster.log.display().to_string();
        let started = cluster.pg_ctl(&["-l", &log, "-w", "-t", "120", "start"]);
        started.with_context(|| format!("start the private PostgreSQL; its log is {log}"))?;
        Ok(cluster)
    }

    /// The address of its database, for sqlx and psql.
    pub fn url(&self) -> String {
        url(&self.socket, NAME)
    }

    /// Makes the database when it is missing.
    pub async fn create_database(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&url(&self.socket, "postgres")).await.context("reach the private PostgreSQL")?;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = 'dcmms')")
            .fetch_one(&mut connection)
            .await
            .context("look for the database")?;
        if !exists {
            sqlx::query("create database dcmms").execute(&mut connection).await.context("create the database")?;
        }
        connection.close().await.context("leave the private PostgreSQL")
    }

    /// Stops it cleanly: open transactions are rolled back, everything committed stays.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.pg_ctl(&["-m", "fast", "-w", "-t", "60", "stop"]).context("stop the private PostgreSQL")
    }

    fn create(&self, place: &Path) -> anyhow::Result<()> {
        tracing::info!(data = %self.data.display(), "making a private PostgreSQL cluster");
        self.programs.own_dir(place)?;
        // Half of a cluster from a killed attempt is of no use to anybody.
        if self.data.exists() {
            fs::remove_dir_all(&self.data).with_context(|| format!("remove the unfinished {}", self.data.display()))?;
        }
        let data = self.data.display().to_string();
        self.programs
            .run("initdb", &["-D", &data, "-U", NAME, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions"], place)
            .context("make the private PostgreSQL cluster")?;
        let file = self.data.join("postgresql.conf");
        let mut text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        text.push_str("\ninclude = 'dcmms.conf'\n");
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }

    /// A cluster of another major version is not ours to convert.
    fn check_version(&self) -> anyhow::Result<()> {
        let file = self.data.join("PG_VERSION");
        let made_by = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let major = self.programs.major()?;
        if made_by.trim() != major {
            bail!(
                "{} was made by PostgreSQL {}, but the one found in {} is {major}; put the old one on PATH, or choose another --data",
                self.data.display(),
                made_by.trim(),
                self.programs.dir().display()
            );
        }
        Ok(())
    }

    fn write_settings(&self) -> anyhow::Result<()> {
        let mut text = SETTINGS.to_owned();
        let _ = writeln!(text, "unix_socket_directories = '{}'", self.socket.display().to_string().replace('\'', "''"));
        let file = self.data.join("dcmms.conf");
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))
    }

    fn is_running(&self) -> anyhow::Result<bool> {
        let data = self.data.display().to_string();
        // 0: runs; 3: does not, also when postmaster.pid is left over.
        Ok(self.programs.status("pg_ctl", &["-D", &data, "status"], &self.data)? == Some(0))
    }

    fn pg_ctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let data = self.data.display().to_string();
        let arguments: Vec<&str> = ["-D", data.as_str()].iter().chain(arguments).copied().collect();
        self.programs.run("pg_ctl", &arguments, &self.data)
    }
}

fn url(socket: &Path, database: &str) -> String {
    format!("postgres://{NAME}@localhost/{database}?host={}", percent(&socket.display().to_string()))
}

/// Escapes a path for the query of a URL.
fn percent(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => escaped.push(byte as char),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

/// Where the cluster lives: in the data directory, or, when the user that must run it cannot enter that (a root's home),
/// in /var/lib under a name made of the data directory's.
fn place(data_dir: &Path, programs: &Programs) -> anyhow::Result<PathBuf> {
    let inside = data_dir.join("postgres");
    if programs.can_enter(data_dir)? {
        return Ok(inside);
    }
    let elsewhere = elsewhere(data_dir);
    tracing::info!(place = %elsewhere.display(), "the user that runs PostgreSQL cannot enter the data directory; it lives elsewhere");
    Ok(elsewhere)
}

fn elsewhere(data_dir: &Path) -> PathBuf {
    PathBuf::from(format!("/var/lib/dcmms-{:08x}", hash(data_dir)))
}

fn socket(place: &Path) -> PathBuf {
    let inside = place.join("run");
    if inside.as_os_str().len() <= SOCKET_DIR_BYTES_MAX { inside } else { PathBuf::from(format!("/tmp/dcmms-{:08x}", hash(place))) }
}

/// FNV-1a: the same name for the same path, on every machine and with every release.
fn hash(path: &Path) -> u32 {
    path.as_os_str().as_encoded_bytes().iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
