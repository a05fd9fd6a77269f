//! One reading as text: what can be told from it alone. The reasons are those of the engine, which looks again.

use chrono::DateTime;
use dcmms_schemas::reading::{Quality, Reason};
use serde_json::{Map, Value};

/// Why a line is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) message: String,
}

fn fault<T>(reason: Reason, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { reason, message: message.into() })
}

/// The point of a reading that is sound in itself.
pub(super) fn point_of(line: &str) -> Result<String, Fault> {
    let value: Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(error) => return fault(Reason::Unreadable, error.to_string()),
    };
    let Value::Object(fields) = value else { return fault(Reason::Unreadable, "it is not a JSON object") };
    number(&fields)?;
    time(&fields)?;
    rest(&fields)?;
    match fields.get("point") {
        Some(Value::String(point)) if !point.is_empty() => Ok(point.clone()),
        Some(Value::String(_)) => fault(Reason::BadField, "point is empty"),
        Some(other) => fault(Reason::BadField, format!("point is {other}; a text is expected")),
        None => fault(Reason::BadField, "point is missing"),
    }
}

fn number(fields: &Map<String, Value>) -> Result<(), Fault> {
    match fields.get("value") {
        // JSON has no infinities, but 1e999 reads as one.
        Some(Value::Number(value)) if value.as_f64().is_some_and(f64::is_finite) => Ok(()),
        Some(Value::Number(value)) => fault(Reason::NonFinite, format!("value {value} is beyond any double")),
        Some(other) => fault(Reason::BadField, format!("value is {other}; a number is expected")),
        None => fault(Reason::BadField, "value is missing"),
    }
}

fn time(fields: &Map<String, Value>) -> Result<(), Fault> {
    match fields.get("ts") {
        Some(Value::Number(ts)) if ts.as_i64().is_some_and(|ts| (0..=i64::MAX / 1_000).contains(&ts)) => Ok(()),
        Some(Value::String(ts)) => match DateTime::parse_from_rfc3339(ts) {
            Ok(at) if at.timestamp() >= 0 => Ok(()),
            Ok(_) => fault(Reason::BadTime, format!("ts {ts} is before 1970")),
            Err(error) => fault(Reason::BadTime, format!("ts {ts:?} is not RFC 3339: {error}")),
        },
        Some(other) => fault(Reason::BadTime, format!("ts is {other}; milliseconds since 1970 or RFC 3339 is expected")),
        None => fault(Reason::BadField, "ts is missing"),
    }
}

fn rest(fields: &Map<String, Value>) -> Result<(), Fault> {
    if let Some(quality) = fields.get("quality") {
        let names = [Quality::Good, Quality::Uncertain, Quality::Bad].map(Quality::name);
        if !quality.as_str().is_some_and(|name| names.contains(&name)) {
            return fault(Reason::BadField, format!("quality is {quality}; good, uncertain or bad is expected"));
        }
    }
    if let Some(seq) = fields.get("seq").filter(|seq| !seq.is_u64() && !seq.is_null()) {
        return fault(Reason::BadField, format!("seq is {seq}; a whole number of 0 or more is expected"));
    }
    if let Some(correction) = fields.get("correction").filter(|correction| !correction.is_boolean()) {
        return fault(Reason::BadField, format!("correction is {correction}; true or false is expected"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
