//! What the minutes must say: plain arithmetic over the readings as the simulator writes them to a file.

use serde_json::Value;
use sqlx::{Row, postgres::PgRow};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

const MINUTE_MS: i64 = 60_000;

/// One point's minute.
#[derive(Debug, Default)]
struct Minute {
    /// By moment: what was said later of the same moment does not occur here.
    readings: BTreeMap<i64, f64>,
}

/// All minutes, by point and start.
#[derive(Debug)]
pub(crate) struct Expected {
    minutes: HashMap<(String, i64), Minute>,
}

impl Expected {
    /// Reads lines of `{"point":…,"ts":…,"value":…}`.
    pub(crate) fn of(files: &[&Path]) -> Expected {
        let mut minutes: HashMap<(String, i64), Minute> = HashMap::new();
        for file in files {
            for line in std::fs::read_to_string(file).expect("the simulator wrote it").lines() {
                let reading: Value = serde_json::from_str(line).expect("a line is JSON");
                let point = reading["point"].as_str().expect("a reading names its point").to_owned();
                let at_ms = reading["ts"].as_i64().expect("whole milliseconds");
                let minute = minutes.entry((point, at_ms.div_euclid(MINUTE_MS) * MINUTE_MS)).or_default();
                let before = minute.readings.insert(at_ms, reading["value"].as_f64().expect("a number"));
                assert!(before.is_none(), "the simulator said one moment twice: {line}");
            }
        }
        Expected { minutes }
    }

    /// Every minute is there, none is too many, and each says what the arithmetic says.
    pub(crate) fn check(&self, rows: &[PgRow]) {
        assert_eq!(rows.len(), self.minutes.len(), "as many minutes");
        for row in rows {
            let (point, start_ms): (String, i64) = (row.get("key"), row.get("start_ms"));
            let minute = self.minutes.get(&(point.clone(), start_ms)).unwrap_or_else(|| panic!("nobody spoke at {point} {start_ms}"));
            minute.check(row, &format!("{point} at {start_ms}"));
        }
    }
}

impl Minute {
    fn check(&self, row: &PgRow, what: &str) {
        // Values count at the point's resolution.
        let resolution: f64 = row.get("resolution");
        let values: Vec<f64> = self.readings.values().copied().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let stddev = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert_eq!(row.get::<i64, _>("n"), values.len() as i64, "n of {what}");
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (first, last) = (values[0], values[values.len() - 1]);
        for (name, wanted) in [("min", least), ("max", most), ("mean", mean), ("stddev", stddev), ("first", first), ("last", last)] {
            let said: f64 = row.get(name);
            let near = (said - wanted).abs() <= resolution.max(wanted.abs() * 1e-9);
            assert!(near, "{name} of {what}: the table says {said}, the readings {wanted} (resolution {resolution})");
        }
    }
}
