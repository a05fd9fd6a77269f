//! A real Apache Kafka broker beside the demo, by the scripts in `deploy/kafka`.

use crate::shutdown::Stop;
use anyhow::{Context, bail};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The scripts travel in the binary, so that it needs no checkout.
const SCRIPTS: [(&str, &str); 4] = [
    ("fetch.sh", include_str!("../../kafka/fetch.sh")),
    ("start.sh", include_str!("../../kafka/start.sh")),
    ("stop.sh", include_str!("../../kafka/stop.sh")),
    ("pom.xml", include_str!("../../kafka/pom.xml")),
];

/// A broker that keeps its data in the data directory.
#[derive(Debug)]
pub(super) struct RealKafka {
    dir: PathBuf,
    brokers: String,
}

impl RealKafka {
    /// Starts it, or takes over one that a killed demo left; fetches its jars at the first time.
    pub(super) async fn start(data_dir: &Path, stop: &Stop) -> anyhow::Result<RealKafka> {
        let dir = data_dir.join("kafka");
        unpack(&dir)?;
        tracing::info!(dir = %dir.display(), "starting Apache Kafka; the first time fetches its jars");
        let mut child = script(&dir, "start.sh").stdout(Stdio::piped()).spawn().context("run start.sh")?;
        let mut lines = BufReader::new(child.stdout.take().context("read what start.sh says")?).lines();
        let mut brokers = String::new();
        loop {
            tokio::select! {
                line = lines.next_line() => match line.context("read what start.sh says")? {
                    Some(line) => brokers = line,
                    None => break,
                },
                () = stop.requested() => bail!("asked to stop while Kafka was starting"),
            }
        }
        let status = child.wait().await.context("wait for start.sh")?;
        if !status.success() || brokers.is_empty() {
            bail!(
                "start Apache Kafka: start.sh ended with {status}; what it said is above, the broker's log is {}",
                dir.join("log").display()
            );
        }
        Ok(RealKafka { dir, brokers })
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let status = script(&self.dir, "stop.sh").status().await.context("run stop.sh")?;
        if !status.success() {
            bail!("stop Apache Kafka: stop.sh ended with {status}");
        }
        Ok(())
    }
}

fn script(dir: &Path, name: &str) -> Command {
    let mut command = Command::new(dir.join("scripts").join(name));
    // Its own group: Ctrl-C is for us, we stop the broker when the engine is done with it.
    command.arg(dir).process_group(0).stdin(Stdio::null());
    command
}

fn unpack(dir: &Path) -> anyhow::Result<()> {
    let scripts = dir.join("scripts");
    fs::create_dir_all(&scripts).with_context(|| format!("make {}", scripts.display()))?;
    for (name, text) in SCRIPTS {
        let file = scripts.join(name);
        fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).with_context(|| format!("make {} executable", file.display()))?;
    }
    Ok(())
}
