use super::*;

fn of(file: &str, environment: &[(&str, &str)], overrides: &[&str]) -> anyhow::Result<Config> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let overrides: Vec<String> = overrides.iter().map(|pair| (*pair).to_owned()).collect();
    Config::of(Some(("dcmms.toml".into(), file.into())), environment, &overrides)
}

fn refusal(file: &str, environment: &[(&str, &str)], overrides: &[&str]) -> String {
    format!("{:#}", of(file, environment, overrides).expect_err("it is refused"))
}

#[test]
fn the_defaults_are_whole_and_inside_their_own_bounds() {
    let config = of("", &[], &[]).unwrap();
    assert_eq!((config.engine.tick_ms, config.engine.workers), (250, 1));
    assert!(config.kafka.properties.is_empty());
}

#[test]
fn later_sources_win() {
    let file = "[engine]\ntick_ms = 50\nworkers = 2\n[data]\ndir = \"elsewhere\"";
    let config = of(file, &[("DCMMS_ENGINE__TICK_MS", "5_000"), ("DATABASE_URL", "postgres://a/b")], &["engine.workers=1"]).unwrap();
    assert_eq!((config.engine.tick_ms, config.engine.workers), (5_000, 1));
    assert_eq!(config.data.dir, Path::new("elsewhere"));
    assert_eq!(config.database.url, "postgres://a/b");
    let both = of("", &[("DCMMS_DATABASE__URL", "postgres://c/d"), ("DATABASE_URL", "postgres://a/b")], &[]).unwrap();
    assert_eq!(both.database.url, "postgres://c/d");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    assert!(refusal("[engine]\ntick_sm = 5", &[], &[]).contains("no key engine.tick_sm; did you mean `tick_ms`?"));
    assert!(refusal("[engin]\ntick_ms = 5", &[], &[]).contains("no table [engin]; did you mean `engine`?"));
    assert!(refusal("", &[("DCMMS_ENGINE__WORKER", "2")], &[]).contains("did you mean `workers`?"));
    assert!(refusal("", &[("DCMMS_ENGINE_WORKERS", "2")], &[]).contains("DCMMS_<TABLE>__<KEY>"));
    assert!(refusal("[kafka]\nbroker = \"a:1\"", &[], &[]).contains("did you mean `brokers`?"));
    assert!(refusal("", &[], &["tick_ms=5"]).contains("--set table.key=value"));
}

#[test]
fn a_wrong_type_or_bound_says_what_to_write() {
    assert!(refusal("[engine]\nworkers = \"two\"", &[], &[]).contains("engine.workers is a integer, not a string"));
    assert!(refusal("", &[("DCMMS_ENGINE__WORKERS", "two")], &[]).contains("engine.workers is a whole number, not `two`"));
    assert!(refusal("[engine]\ntick_ms = 1", &[], &[]).contains("engine.tick_ms = 1: write a number from 10 to 60000"));
    assert!(refusal("[api]\nlisten = \"8080\"", &[], &[]).contains("127.0.0.1:8080"));
    assert!(refusal("[engine\n", &[], &[]).contains("dcmms.toml"));
}

#[test]
fn other_kafka_keys_pass_through_quoted_or_not_and_from_the_environment() {
    let file = "[kafka]\nbrokers = \"a:1\"\n\"client.id\" = \"x\"\nqueued.min.messages = 5000\n[kafka.properties]\nacks = \"all\"";
    let config = of(file, &[("DCMMS_KAFKA__LINGER__MS", "7")], &["kafka.client.rack=r1"]).unwrap();
    let client = config.kafka.client();
    let said: Vec<_> =
        ["client.id", "queued.min.messages", "acks", "linger.ms", "client.rack", "bootstrap.servers"].map(|key| client.get(key)).into();
    assert_eq!(said, [Some("x"), Some("5000"), Some("all"), Some("7"), Some("r1"), Some("a:1")]);
}

#[test]
fn a_property_that_librdkafka_does_not_know_is_refused() {
    assert!(refusal("[kafka]\nlinger.sm = 5", &[], &[]).contains("linger.sm"));
}

#[test]
fn secrets_are_not_shown() {
    let config = of("[database]\nurl = \"postgres://me:hush@db/x\"\n[kafka]\nsasl.password = \"hush\"", &[], &[]).unwrap();
    let shown = config.masked().unwrap();
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("postgres://me:********@db/x"), "{shown}");
}
