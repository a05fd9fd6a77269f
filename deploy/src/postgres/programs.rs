//! PostgreSQL's programs on this machine, and as whom they run.

use anyhow::{Context, bail};
use nix::unistd::{User, geteuid};
use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const MISSING: &str = "PostgreSQL's initdb is neither on PATH, nor where pg_config says, nor in /usr/lib/postgresql; \
    run `make setup` (or `apt-get install postgresql`), or name a server with DATABASE_URL";

/// Where the programs are and which user runs them: ourselves, unless we are root.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    dir: PathBuf,
    runs_as: Option<(u32, u32)>,
}

impl Programs {
    pub(super) fn find() -> anyhow::Result<Programs> {
        let dir = dir().context(MISSING)?;
        if !geteuid().is_root() {
            return Ok(Programs { dir, runs_as: None });
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name).with_context(|| format!("look for the user {name}"))? {
                return Ok(Programs { dir, runs_as: Some((user.uid.as_raw(), user.gid.as_raw())) });
            }
        }
        bail!("PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody to run it; make one");
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The major version, as `PG_VERSION` says it.
    pub(super) fn major(&self) -> anyhow::Result<String> {
        let text = text_of(Command::new(self.dir.join("postgres")).arg("--version")).context("ask PostgreSQL for its version")?;
        // "postgres (PostgreSQL) 15.12 (Debian …)"
        let number = text.split_whitespace().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
        Ok(number.and_then(|number| number.split('.').next()).unwrap_or(&text).to_owned())
    }

    /// Whether the user that runs PostgreSQL can reach this directory, which exists.
    pub(super) fn can_enter(&self, dir: &Path) -> anyhow::Result<bool> {
        let mut test = self.command(Path::new("test"));
        Ok(test.arg("-x").arg(dir).current_dir("/").status().context("run test -x")?.success())
    }

    /// Makes a directory that only the user that runs PostgreSQL can enter.
    pub(super) fn own_dir(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        if let Some((uid, gid)) = self.runs_as {
            std::os::unix::fs::chown(dir, Some(uid), Some(gid)).with_context(|| format!("give {} to its user", dir.display()))?;
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).with_context(|| format!("close {} to others", dir.display()))
    }

    /// Runs a program to its end; what it says is the error when it fails.
    pub(super) fn run(&self, program: &str, arguments: &[&str], at: &Path) -> anyhow::Result<()> {
        let mut command = self.command(&self.dir.join(program));
        // The server keeps what it inherits, so it gets no pipe: its words go to a file that we read.
        let said = tempfile_in(at, program)?;
        let errors = said.1.try_clone().context("share the file of a program's words")?;
        let status = command.args(arguments).current_dir(at).stdin(Stdio::null()).stdout(said.1).stderr(errors).status();
        let text = fs::read_to_string(&said.0).unwrap_or_default();
        // Only a note for this call.
        let _ = fs::remove_file(&said.0);
        match status.with_context(|| format!("run {program}"))? {
            status if status.success() => Ok(()),
            status => bail!("{program} ended with {status}: {}", text.trim()),
        }
    }

    /// Runs a program for its exit code.
    pub(super) fn status(&self, program: &str, arguments: &[&str], at: &Path) -> anyhow::Result<Option<i32>> {
        let mut command = self.command(&self.dir.join(program));
        let command = command.args(arguments).current_dir(at).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status().with_context(|| format!("run {program}"))?.code())
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.runs_as {
            command.uid(uid).gid(gid);
        }
        // A group of its own: Ctrl-C is for us, we stop the server when the engine is done with it.
        command.process_group(0);
        command
    }
}

fn tempfile_in(dir: &Path, program: &str) -> anyhow::Result<(PathBuf, fs::File)> {
    let path = dir.join(format!(".{program}-{}.out", std::process::id()));
    let file = fs::File::create(&path).with_context(|| format!("create {}", path.display()))?;
    Ok((path, file))
}

/// On PATH, as `pg_config` says, or the newest of Debian's.
fn dir() -> Option<PathBuf> {
    let on_path: Vec<PathBuf> = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let configured = text_of(Command::new("pg_config").arg("--bindir")).ok().map(PathBuf::from);
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    packaged.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let candidates = on_path.into_iter().chain(configured).chain(packaged.into_iter().map(|(_, path)| path));
    candidates.into_iter().find(|path| path.join("initdb").is_file() && path.join("pg_ctl").is_file())
}

fn text_of(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("it ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
