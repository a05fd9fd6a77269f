//! Real servers of this test, and installations on them. Everything that is started here is stopped, by its pid.

use sqlx::{Column, Connection, PgConnection, Row, TypeInfo, postgres::PgRow};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a condition may take on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(50);

/// Waits for a condition; the test fails when it does not come.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < DEADLINE, "not within {} s: {what}", DEADLINE.as_secs());
        tokio::time::sleep(LOOK).await;
    }
}

/// Kafka and PostgreSQL, started by the scripts anyone can use.
pub(crate) struct Servers {
    dir: tempfile::TempDir,
    brokers: String,
    url: String,
}

impl Servers {
    pub(crate) fn start() -> Servers {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // The user that runs PostgreSQL must be able to enter.
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open the directory");
        let mut servers = Servers { brokers: String::new(), url: String::new(), dir };
        servers.brokers = servers.script("kafka/start.sh", "kafka");
        servers.url = servers.script("postgres/start.sh", "postgres");
        servers
    }

    fn script(&self, script: &str, place: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let mut command = Command::new(&script);
        // The errors of the script are the errors of the test; its output is the address.
        let output = command.arg(self.dir.path().join(place)).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.unwrap_or_else(|error| panic!("run {}: {error}", script.display()));
        assert!(output.status.success(), "{} ended with {}", script.display(), output.status);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for (script, place) in [("kafka/stop.sh", "kafka"), ("postgres/stop.sh", "postgres")] {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
            let stopped = Command::new(&script).arg(self.dir.path().join(place)).status();
            if !stopped.as_ref().is_ok_and(|status| status.success()) {
                eprintln!("{}: {stopped:?}", script.display());
            }
        }
    }
}

/// A database and a data directory on the servers.
pub(crate) struct Installation<'s> {
    servers: &'s Servers,
    name: String,
    data: PathBuf,
}

impl<'s> Installation<'s> {
    pub(crate) async fn new(servers: &'s Servers, name: &str) -> Installation<'s> {
        let installation = Installation { servers, name: name.into(), data: servers.dir.path().join(name) };
        installation.execute(&format!("create database {name}")).await;
        installation
    }

    /// A copy of what people set up, for which nobody may be connected: `serving` is stopped.
    pub(crate) async fn copy(&self, name: &str, serving: Process) -> Installation<'s> {
        serving.stop();
        let copy = Installation { servers: self.servers, name: name.into(), data: self.servers.dir.path().join(name) };
        copy.execute(&format!("create database {name} template {}", self.name)).await;
        copy
    }

    pub(crate) fn brokers(&self) -> &str {
        &self.servers.brokers
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.servers.dir.path().join(name)
    }

    async fn execute(&self, sql: &str) {
        let url = self.url_of("postgres");
        let mut connection = PgConnection::connect(&url).await.expect("reach PostgreSQL");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn url_of(&self, database: &str) -> String {
        let (server, _) = self.servers.url.rsplit_once('/').expect("a URL names a database");
        format!("{server}/{database}")
    }

    /// Runs a command of the binary to its end and gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stderr(Stdio::inherit()).output().expect("run dcmms");
        assert!(output.status.success(), "dcmms {arguments:?} ended with {}", output.status);
        String::from_utf8(output.stdout).expect("dcmms prints UTF-8")
    }

    /// Starts a command of the binary that runs until it is told to stop.
    pub(crate) fn start(&self, arguments: &[&str]) -> Process {
        Process { child: self.command(arguments).stdout(Stdio::null()).spawn().expect("start dcmms") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcmms"));
        command.args(arguments).stdin(Stdio::null()).current_dir(self.servers.dir.path());
        command.env("DATABASE_URL", self.url_of(&self.name)).env("DCMMS_KAFKA__BROKERS", &self.servers.brokers);
        // Often, so that a job that lives for seconds is killed between two of them.
        command.env("DCMMS_CHECKPOINT__EVERY_MS", "500");
        command.env("DCMMS_DATA__DIR", &self.data).env("DCMMS_LOG", "warn").env("DCMMS_KAFKA__PARTITIONS", "2");
        command
    }

    /// Changes something in the installation's own database.
    pub(crate) async fn execute_here(&self, sql: &'static str) {
        sqlx::query(sql).execute(&mut self.connect().await).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url_of(&self.name)).await.expect("reach the installation's database")
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.connect().await).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn fetch(&self, sql: &'static str) -> Vec<PgRow> {
        sqlx::query(sql).fetch_all(&mut self.connect().await).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Every row as text, floats to their last bit.
    pub(crate) async fn rows(&self, sql: &'static str) -> Vec<String> {
        self.fetch(sql).await.iter().map(|row| (0..row.len()).map(|column| cell(row, column)).collect::<Vec<_>>().join(" | ")).collect()
    }
}

fn cell(row: &PgRow, column: usize) -> String {
    let kind = row.column(column).type_info().name().to_owned();
    match kind.as_str() {
        "FLOAT8" => format!("{:?}", row.get::<Option<f64>, _>(column)),
        "INT8" => format!("{:?}", row.get::<Option<i64>, _>(column)),
        "INT4" => format!("{:?}", row.get::<Option<i32>, _>(column)),
        "INT2" => format!("{:?}", row.get::<Option<i16>, _>(column)),
        "TIMESTAMPTZ" => format!("{:?}", row.get::<Option<chrono::DateTime<chrono::Utc>>, _>(column)),
        other => panic!("a column of type {other} cannot be compared yet"),
    }
}

/// A process of the binary; killed when it is forgotten.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// As `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kill a process of ours");
        self.child.wait().expect("wait for a process of ours");
    }

    /// Waits until it ends by itself; it must end cleanly.
    pub(crate) fn ended(mut self) {
        let status = self.child.wait().expect("wait for a process of ours");
        assert!(status.success(), "it ended with {status}");
    }

    /// As Ctrl-C; it must end by itself and cleanly.
    pub(crate) fn stop(mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a pid fits"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("interrupt a process of ours");
        let status = self.child.wait().expect("wait for a process of ours");
        assert!(status.success(), "it ended with {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
