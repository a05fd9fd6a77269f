//! What a value may be, and what to write when it is not.

use super::Config;
use anyhow::bail;
use std::net::SocketAddr;

/// Refuses a value out of its bounds, naming the key, the bounds and the reason.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    let engine = &config.engine;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as i64);
    for (key, value, least, most, why) in [
        ("database.connections_max", i64::from(config.database.connections_max), 2, 500, "PostgreSQL allows 100 unless told otherwise"),
        ("kafka.partitions", i64::from(config.kafka.partitions), 1, 1_000, "a partition has one reader"),
        ("kafka.replication", i64::from(config.kafka.replication), 1, 15, "no more than there are brokers"),
        ("engine.workers", engine.workers as i64, 1, cores.max(2) * 2, "more threads than cores only wait for each other"),
        ("engine.tick_ms", engine.tick_ms as i64, 10, 60_000, "shorter ticks cost a transaction each, longer ones show changes late"),
        ("engine.ticks_in_flight_max", engine.ticks_in_flight_max as i64, 2, 10_000, "all of them are held in memory"),
        ("engine.messages_per_tick_max", engine.messages_per_tick_max as i64, 1, 10_000_000, "all of them are held in memory"),
        ("engine.disorder_ms", engine.disorder_ms, 0, 3_600_000, "delays and staleness are judged this much later"),
        ("engine.idle_after_ms", engine.idle_after_ms as i64, 100, 3_600_000, "a quiet partition holds the others back for this long"),
        ("engine.future_max_ms", engine.future_max_ms, 0, 86_400_000, "a wrong clock ahead makes right readings late"),
        ("engine.action_age_max_ms", engine.action_age_max_ms, -1, i64::MAX, "-1 means no limit"),
        ("checkpoint.every_ms", config.checkpoint.every_ms as i64, 200, 86_400_000, "a restart reads again what came since"),
        ("checkpoint.keep", i64::from(config.checkpoint.keep), 1, 1_000, "all of them are kept with what they need"),
        ("history.seal_after_ms", config.history.seal_after_ms as i64, 1_000, 3_600_000, "a restart reads the unsealed tail again"),
        ("history.seal_bytes_max", config.history.seal_bytes_max as i64, 1 << 20, 1 << 30, "the unsealed file is held in memory"),
    ] {
        if !(least..=most).contains(&value) {
            bail!("{key} = {value}: write a number from {least} to {most}; {why}");
        }
    }
    if engine.job.is_empty()
        || engine.job.len() > 60
        || !engine.job.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    {
        bail!("engine.job = `{}`: write up to 60 of a-z, 0-9, - and _; it names files and the consumer group", engine.job);
    }
    if config.kafka.telemetry_topics.iter().any(String::is_empty) || config.kafka.telemetry_topics.is_empty() {
        bail!("kafka.telemetry_topics is empty: name at least one topic of readings");
    }
    if config.kafka.domain_topic.is_empty() || config.kafka.telemetry_topics.contains(&config.kafka.domain_topic) {
        bail!("kafka.domain_topic = `{}`: name a topic of its own", config.kafka.domain_topic);
    }
    if config.api.listen.parse::<SocketAddr>().is_err() {
        bail!("api.listen = `{}`: write address:port, such as 127.0.0.1:8080 or [::1]:8080", config.api.listen);
    }
    if !config.database.url.is_empty() && !config.database.url.starts_with("postgres") {
        bail!("database.url: write postgres://user:password@host/database");
    }
    if !["text", "json"].contains(&config.log.format.as_str()) {
        bail!("log.format = `{}`: write text or json", config.log.format);
    }
    Ok(())
}
