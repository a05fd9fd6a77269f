//! Lays the sources of the configuration over each other, key by key.

use super::DEFAULT;
use anyhow::{Context, bail};
use toml::{Table, Value};

/// Variables that begin like settings but say something else.
const NOT_SETTINGS: [&str; 4] = ["DCMMS_CONFIG", "DCMMS_KAFKA_CACHE", "DCMMS_LOG", "DCMMS_LOG_FORMAT"];
const PREFIX: &str = "DCMMS_";

/// The defaults and what was laid over them.
#[derive(Debug)]
pub(super) struct Merged {
    tables: Table,
}

impl Default for Merged {
    fn default() -> Merged {
        Merged { tables: DEFAULT.parse().expect("default.toml is TOML; a test reads it") }
    }
}

impl Merged {
    pub(super) fn file(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        let said: Table = text.parse().with_context(|| format!("read the configuration {name}"))?;
        for (table, keys) in said {
            let Value::Table(keys) = keys else {
                bail!("{name}: `{table}` stands outside of a table; write it below a line like [engine]");
            };
            for (key, value) in keys {
                self.set(name, &table, &key, value)?;
            }
        }
        Ok(())
    }

    /// `DCMMS_<TABLE>__<KEY>`; further `__` are the dots of a Kafka property. `DATABASE_URL` is what many tools know.
    pub(super) fn environment(&mut self, variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<()> {
        let mut variables: Vec<_> = variables.collect();
        variables.sort(); // DATABASE_URL before DCMMS_DATABASE__URL, which wins
        for (name, text) in variables {
            if name == "DATABASE_URL" {
                self.set(&name, "database", "url", Value::String(text))?;
                continue;
            }
            let Some(path) = name.strip_prefix(PREFIX) else { continue };
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let path = path.to_lowercase();
            let Some((table, key)) = path.split_once("__") else {
                bail!("the environment's {name} is no setting; it is written DCMMS_<TABLE>__<KEY>, such as DCMMS_ENGINE__TICK_MS");
            };
            let key = key.replace("__", ".");
            self.set_text(&name, table, &key, text)?;
        }
        Ok(())
    }

    /// `table.key=value` of the command line.
    pub(super) fn argument(&mut self, pair: &str) -> anyhow::Result<()> {
        let Some(((table, key), text)) = pair.split_once('=').and_then(|(path, text)| Some((path.split_once('.')?, text))) else {
            bail!("--set {pair}: it is written --set table.key=value, such as --set engine.tick_ms=100");
        };
        self.set_text("--set", table, key, text.to_owned())
    }

    pub(super) fn finish(self) -> Table {
        self.tables
    }

    fn set_text(&mut self, origin: &str, table: &str, key: &str, text: String) -> anyhow::Result<()> {
        let known = self.tables.get(table).and_then(|keys| keys.get(key));
        let value = match known {
            Some(Value::Integer(_)) => {
                let number = text.trim().replace('_', "").parse();
                Value::Integer(number.with_context(|| format!("{origin}: {table}.{key} is a whole number, not `{text}`"))?)
            }
            Some(Value::Boolean(_)) => {
                Value::Boolean(text.trim().parse().with_context(|| format!("{origin}: {table}.{key} is true or false, not `{text}`"))?)
            }
            Some(Value::Array(_)) => Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()),
            _ => Value::String(text),
        };
        self.set(origin, table, key, value)
    }

    fn set(&mut self, origin: &str, table: &str, key: &str, value: Value) -> anyhow::Result<()> {
        let tables: Vec<String> = self.tables.keys().cloned().collect();
        let Some(Value::Table(keys)) = self.tables.get_mut(table) else {
            bail!("{origin}: there is no table [{table}]; {}", nearest(table, &tables));
        };
        if table == "kafka" && passes_through(key, &value) {
            return property(keys, key.trim_start_matches("properties."), value, origin);
        }
        match keys.get(key) {
            Some(default) if default.same_type(&value) => {
                keys.insert(key.to_owned(), value);
                Ok(())
            }
            Some(default) => bail!("{origin}: {table}.{key} is a {}, not a {}", default.type_str(), value.type_str()),
            None => {
                let known: Vec<String> = keys.keys().cloned().collect();
                bail!("{origin}: there is no key {table}.{key}; {}", nearest(key, &known))
            }
        }
    }
}

/// Whether a key of `[kafka]` is librdkafka's: its names have dots, which TOML reads as tables unless quoted. The few
/// without go below `properties`.
fn passes_through(key: &str, value: &Value) -> bool {
    key.contains('.') || key == "properties" || value.is_table()
}

fn property(keys: &mut Table, name: &str, value: Value, origin: &str) -> anyhow::Result<()> {
    if let Value::Table(inner) = value {
        for (key, value) in inner {
            let name = if name == "properties" { key } else { format!("{name}.{key}") };
            property(keys, &name, value, origin)?;
        }
        return Ok(());
    }
    let text = match value {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => bail!("{origin}: kafka.{name} is a text, a number, true or false, not a {}", other.type_str()),
    };
    let properties = keys.entry("properties").or_insert_with(|| Value::Table(Table::new()));
    properties.as_table_mut().expect("only this function writes kafka.properties").insert(name.to_owned(), Value::String(text));
    Ok(())
}

/// Says which of the known names was probably meant, or all of them.
fn nearest(name: &str, known: &[String]) -> String {
    let best = known.iter().min_by_key(|candidate| distance(name, candidate));
    match best {
        Some(best) if distance(name, best) <= 1 + name.len() / 3 => format!("did you mean `{best}`?"),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Levenshtein's distance: letters to add, drop or change.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, candidate) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *candidate);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}
