//! Who may import whom, and what every crate has in common. Tidiness that nobody has to remember.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const LINES_MAX: usize = 500;

/// Our crates, which of ours each may use, and which of the world's none of its code may.
const LAYERS: [(&str, &[&str], &[&str]); 7] = [
    ("schemas", &[], &["timely", "differential-dataflow", "rdkafka", "axum"]),
    ("operators", &["schemas"], &["tokio", "sqlx", "axum", "rdkafka", "rand"]),
    ("dataflows", &["schemas", "operators"], &["tokio", "sqlx", "axum"]),
    ("sinks", &["schemas"], &["timely", "differential-dataflow", "axum", "rdkafka"]),
    ("api", &["schemas"], &["timely", "differential-dataflow", "rdkafka"]),
    ("benches", &["schemas", "operators", "dataflows", "sinks"], &["axum"]),
    ("deploy", &["schemas", "operators", "dataflows", "sinks", "api"], &["timely", "differential-dataflow"]),
];
/// Of these there is one version in the tree, because their types meet.
const ONE_VERSION: [&str; 7] = ["arrow-array", "parquet", "sqlx-core", "axum", "tokio", "timely", "rdkafka"];
/// Licences or builds that we do not take.
const BANNED: [&str; 4] = ["dnp3", "openssl-sys", "aws-lc-sys", "native-tls"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("deploy lies in the workspace").to_owned()
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo speaks JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a text"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

/// The direct dependencies of each crate of ours, those of tests left out: a test may use what it tests against.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata(&["--no-deps"]);
    let of = |package: &Value| {
        let used = list(package, "dependencies").iter().filter(|dependency| dependency["kind"] != "dev");
        used.map(|dependency| text(dependency, "name").to_owned()).collect()
    };
    list(&metadata, "packages").iter().map(|package| (text(package, "name").to_owned(), of(package))).collect()
}

#[test]
fn our_arrows_are_those_of_the_table() {
    let found = dependencies();
    let known: BTreeSet<String> = LAYERS.iter().map(|(name, ..)| format!("dcmms-{name}")).collect();
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), known, "a new crate is a decision record and a row of LAYERS");
    for (name, ours, never) in LAYERS {
        let used = &found[&format!("dcmms-{name}")];
        let allowed: BTreeSet<String> = ours.iter().map(|name| format!("dcmms-{name}")).collect();
        let arrows: BTreeSet<String> = used.iter().filter(|name| name.starts_with("dcmms-")).cloned().collect();
        let foreign: Vec<_> = arrows.difference(&allowed).collect();
        assert!(foreign.is_empty(), "{name} must not use {foreign:?}");
        let banned: Vec<_> = never.iter().filter(|name| used.contains(**name)).collect();
        assert!(banned.is_empty(), "{name} must not use {banned:?}");
    }
}

#[test]
fn every_member_inherits_versions_and_lints() {
    for (name, ..) in LAYERS {
        let file = root().join(name).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(&file).expect("a member has a manifest").parse().expect("a manifest is TOML");
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name} inherits the lints");
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            assert_eq!(manifest["package"][key]["workspace"].as_bool(), Some(true), "{name} inherits {key}");
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (dependency, said) in manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten() {
                let of_itself = said.get("path").and_then(toml::Value::as_str) == Some(".");
                let inherited = said.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(inherited || of_itself, "{name}: {table}.{dependency} takes its version from the workspace");
            }
        }
    }
}

#[test]
fn what_meets_has_one_version_and_nothing_is_banned() {
    let metadata = metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in list(&metadata, "packages") {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    for name in ONE_VERSION {
        assert_eq!(versions.get(name).map(BTreeSet::len), Some(1), "{name}: {:?}", versions.get(name));
    }
    for name in BANNED {
        assert!(!versions.contains_key(name), "{name} is in the default build");
    }
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut long = Vec::new();
    for (name, ..) in LAYERS {
        for file in sources(&root().join(name)) {
            let lines = fs::read_to_string(&file).expect("a source can be read").lines().count();
            if lines > LINES_MAX {
                long.push(format!("{}: {lines}", file.strip_prefix(root()).expect("it lies in the workspace").display()));
            }
        }
    }
    assert!(long.is_empty(), "more than {LINES_MAX} lines; is there a second idea in them? {long:#?}");
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder can be listed").map(|entry| entry.expect("an entry can be read").path()) {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
    found
}
