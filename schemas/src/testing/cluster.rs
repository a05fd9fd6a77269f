//! A private PostgreSQL cluster that does not outlive the process.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{
    io::PipeWriter,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

/// PostgreSQL refuses to run as root; then it runs as this user, which its packages make.
const USER: &str = "postgres";
/// Durability is for the tests' sake off: a killed server loses nothing while the machine stays up.
const SETTINGS: &str = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200 -c wal_level=minimal \
    -c max_wal_senders=0 -c autovacuum_naptime=5s";

/// One private server on a Unix socket in a directory of its own.
#[derive(Debug)]
pub struct Cluster {
    binaries: PathBuf,
    directory: PathBuf,
    /// Root needs another user to run it.
    as_root: bool,
    /// Closed by the end of this value or process; then the watchdog stops the server and removes the directory.
    _alive: PipeWriter,
}

impl Cluster {
    /// Makes and starts a cluster; takes one to two seconds.
    pub fn start() -> Cluster {
        let binaries = binaries().expect(
            "PostgreSQL's initdb is neither on PATH nor where pg_config or /usr/lib/postgresql say; install it or set DATABASE_URL",
        );
        let directory = std::env::temp_dir().join(format!("dcmms-pg-{}-{}", std::process::id(), nanos()));
        std::fs::create_dir(&directory).expect("make the directory of the test cluster");
        let as_root = text_of(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
        if as_root {
            let id = text_of(Command::new("id").args(["-u", USER])).and_then(|id| id.parse().ok());
            chown(&directory, Some(id.expect("the user postgres exists, since PostgreSQL refuses to run as root")), None)
                .expect("give the directory of the test cluster to its user");
        }
        let _alive = watchdog(&binaries, &directory, as_root);
        let cluster = Cluster { binaries, directory, as_root, _alive };
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
        cluster.resume();
        cluster
    }

    /// How to reach it: superuser, no password.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.directory).username(USER).database("postgres").ssl_mode(PgSslMode::Disable)
    }

    /// Stops the server at once, as a crash would: connections break, what was not committed is lost.
    pub fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// Starts the server again and waits until it answers.
    pub fn resume(&self) {
        let log = self.directory.join("log").display().to_string();
        let settings = format!("{SETTINGS} -k {}", self.directory.display());
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &settings, "-w", "start"]);
    }

    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    fn run(&self, binary: &str, arguments: &[&str]) {
        let mut command = as_user(self.as_root, &self.binaries.join(binary));
        let output = command.args(arguments).current_dir(&self.directory).stdin(Stdio::null()).output();
        let output: Output = output.unwrap_or_else(|error| panic!("run {binary}: {error}"));
        assert!(output.status.success(), "{binary}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A shell that waits for the end of this process, stops the server and removes its directory.
#[expect(clippy::zombie_processes, reason = "it waits for our end, not we for its")]
fn watchdog(binaries: &Path, directory: &Path, as_root: bool) -> PipeWriter {
    let (reader, writer) = std::io::pipe().expect("make the watchdog's pipe");
    let script = r#"read -r _; "$1/pg_ctl" -D "$2/data" -m immediate -w stop; cd /; rm -rf "$2""#;
    let mut command = as_user(as_root, Path::new("sh"));
    command.args(["-c", script, "watchdog"]).arg(binaries).arg(directory).current_dir(directory);
    // A group of its own, so that Ctrl-C reaches the tests and not the one who cleans up after them.
    command.process_group(0).stdin(reader).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("start the watchdog of the test cluster");
    writer
}

fn as_user(as_root: bool, program: &Path) -> Command {
    if !as_root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(program);
    command
}

/// The directory of PostgreSQL's programs: on PATH, as `pg_config` says, or the newest of Debian's.
fn binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let configured = text_of(Command::new("pg_config").arg("--bindir")).map(PathBuf::from);
    let mut packaged: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    packaged.sort_by_key(|path| {
        let version = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    on_path.chain(configured).chain(packaged).find(|path| path.join("initdb").is_file() && path.join("pg_ctl").is_file())
}

fn text_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_nanos()
}
