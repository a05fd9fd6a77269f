//! The configuration: `default.toml`, a file, the environment and `--set`, later ones winning. A key that the defaults
//! do not know is refused with the nearest one that they do, a value out of bounds with what to write instead.

mod bounds;
mod merge;

use anyhow::{Context, bail};
use rdkafka::ClientConfig;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Every key with its reason; the shape that everything else is checked against.
pub const DEFAULT: &str = include_str!("../default.toml");
/// The file that is read when it exists and no other is named.
const FILE: &str = "dcmms.toml";

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Config {
    pub data: Data,
    pub database: Database,
    pub kafka: Kafka,
    pub engine: Engine,
    pub checkpoint: Checkpoint,
    pub history: History,
    pub api: Api,
    pub metrics: Metrics,
    pub log: Log,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Database {
    pub url: String,
    pub connections_max: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Kafka {
    pub brokers: String,
    pub telemetry_topics: Vec<String>,
    pub domain_topic: String,
    pub partitions: i32,
    pub replication: i32,
    /// Everything else below `[kafka]`, as librdkafka names it.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Engine {
    pub job: String,
    pub workers: usize,
    pub tick_ms: u64,
    pub ticks_in_flight_max: u64,
    pub messages_per_tick_max: u64,
    pub disorder_ms: i64,
    pub idle_after_ms: u64,
    pub future_max_ms: i64,
    pub dedupe: bool,
    pub action_age_max_ms: i64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Checkpoint {
    pub every_ms: u64,
    pub keep: u32,
    pub url: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct History {
    pub seal_after_ms: u64,
    pub seal_bytes_max: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Api {
    pub listen: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Metrics {
    pub listen: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Log {
    pub filter: String,
    pub format: String,
}

impl Config {
    /// Reads the configuration of this process. `overrides` are `table.key=value` from the command line.
    pub fn load(file: Option<&Path>, overrides: &[String]) -> anyhow::Result<Config> {
        let (path, required) = match file {
            Some(path) => (path, true),
            None => (Path::new(FILE), false),
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Some((path.display().to_string(), text)),
            Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("read the configuration {}", path.display())),
        };
        Config::of(text, std::env::vars(), overrides)
    }

    /// The configuration that these sources make; no file and no environment is looked at.
    fn of(
        file: Option<(String, String)>,
        environment: impl Iterator<Item = (String, String)>,
        overrides: &[String],
    ) -> anyhow::Result<Config> {
        let mut merged = merge::Merged::default();
        if let Some((name, text)) = file {
            merged.file(&name, &text)?;
        }
        merged.environment(environment)?;
        for pair in overrides {
            merged.argument(pair)?;
        }
        let config: Config = merged.finish().try_into().context("read the configuration")?;
        bounds::check(&config)?;
        config.kafka.check()?;
        Ok(config)
    }

    pub fn history_dir(&self) -> PathBuf {
        self.data.dir.join("history")
    }

    pub fn rejects_dir(&self) -> PathBuf {
        self.data.dir.join("rejects")
    }

    /// What is in force, as TOML, with passwords and keys masked.
    pub fn masked(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        shown.database.url = masked_url(&self.database.url);
        for (name, value) in &mut shown.kafka.properties {
            if SECRET_WORDS.iter().any(|word| name.contains(word)) {
                *value = MASK.to_owned();
            }
        }
        toml::to_string(&shown).context("print the configuration")
    }
}

impl Kafka {
    /// The settings of every client of this process.
    pub fn client(&self) -> ClientConfig {
        let mut settings = ClientConfig::new();
        for (name, value) in &self.properties {
            settings.set(name, value);
        }
        settings.set("bootstrap.servers", &self.brokers);
        settings
    }

    /// Lets librdkafka look at the properties, so that a misspelt one is refused at the start.
    fn check(&self) -> anyhow::Result<()> {
        if let Err(error) = self.client().create_native_config() {
            let hint = "see librdkafka's CONFIGURATION.md; security.* and sasl.* need a build with --features kafka-tls";
            bail!("the configuration's [kafka] is refused by librdkafka: {error}; {hint}");
        }
        Ok(())
    }
}

const MASK: &str = "********";
/// A Kafka property with one of these in its name is not shown.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "key.pem", "oauthbearer.config"];

/// `postgres://user:secret@host/db` without the secret.
pub fn masked_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((credentials, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    match credentials.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{MASK}@{place}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
