//! What any JSON message means: the reference that the fast scanner must agree with.

use super::reading::{Fault, Parsed, moment_of_millis, moment_of_text, quoted};
use crate::columns::flags_of;
use dcmms_schemas::reading::{Quality, Reason};
use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};
use std::borrow::Cow;

/// A reading's fields as they stand in the text. `null` is the same as absent.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    point: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    quality: Option<&'a RawValue>,
    #[serde(borrow, default)]
    seq: Option<&'a RawValue>,
    #[serde(borrow, default)]
    correction: Option<&'a RawValue>,
}

/// One element of a message: what it says or what is wrong with it, and its bytes.
pub(super) type Element<'a> = (Result<Parsed<'a>, Fault>, &'a [u8]);

/// Reads a message, or says why nothing in it could be read. `NaN`, `Infinity` and `-Infinity`, which are not JSON but
/// which some writers emit, are first put in quotes (into `scratch`), so that they spoil only their own reading.
pub(super) fn message<'a>(bytes: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Vec<Element<'a>>, String> {
    match elements(bytes) {
        Err(_) if quote_words(bytes, scratch) => elements(scratch),
        answer => answer,
    }
}

fn elements(bytes: &[u8]) -> Result<Vec<Element<'_>>, String> {
    let whole: &RawValue = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
    let whole = whole.get();
    if whole.starts_with('{') {
        return Ok(vec![(reading(whole), whole.as_bytes())]);
    }
    if !whole.starts_with('[') {
        return Err(format!("neither a reading nor an array of readings: {}", quoted(whole)));
    }
    let items: Vec<&RawValue> = serde_json::from_str(whole).map_err(|error| format!("not JSON: {error}"))?;
    Ok(items.into_iter().map(|item| (reading(item.get()), item.get().as_bytes())).collect())
}

/// Reads one object. The first thing wrong in the order point, ts, value, quality, seq, correction is what is said.
fn reading(text: &str) -> Result<Parsed<'_>, Fault> {
    if !text.starts_with('{') {
        return Err(bad(format!("a reading is an object, not {}", quoted(text))));
    }
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => bad(error.to_string()),
        _ => Fault::new(Reason::Unreadable, error.to_string()),
    })?;
    let key = point(fields.point)?;
    let rest = || -> Result<Parsed<'_>, Fault> {
        Ok(Parsed {
            at: ts(fields.ts)?,
            value: value(fields.value)?,
            flags: flags_of(quality(fields.quality)?, false),
            seq: seq(fields.seq)?,
            key: Cow::Borrowed(&[]),
        })
    };
    let parsed = rest().and_then(|parsed| {
        let corrected = correction(fields.correction)?;
        Ok(Parsed { flags: parsed.flags | flags_of(Quality::Good, corrected), ..parsed })
    });
    match parsed {
        Ok(parsed) => Ok(Parsed {
            key: match key {
                Cow::Borrowed(key) => Cow::Borrowed(key.as_bytes()),
                Cow::Owned(key) => Cow::Owned(key.into_bytes()),
            },
            ..parsed
        }),
        Err(fault) => Err(Fault { point: Some(key.into_owned()), ..fault }),
    }
}

fn bad(detail: impl Into<String>) -> Fault {
    Fault::new(Reason::BadField, detail)
}

fn point(raw: Option<&RawValue>) -> Result<Cow<'_, str>, Fault> {
    let raw = raw.ok_or_else(|| bad("point is missing"))?.get();
    let key = text(raw).ok_or_else(|| bad(format!("point must be a string, not {}", quoted(raw))))?;
    if key.is_empty() {
        return Err(bad("point is empty"));
    }
    if key.len() > super::KEY_BYTES_MAX {
        return Err(bad(format!("point is longer than {} bytes: {}", super::KEY_BYTES_MAX, quoted(&key))));
    }
    Ok(key)
}

fn ts(raw: Option<&RawValue>) -> Result<dcmms_schemas::time::Moment, Fault> {
    let raw = raw.ok_or_else(|| bad("ts is missing"))?.get();
    if let Some(text) = text(raw) {
        return moment_of_text(&text);
    }
    if !is_number(raw) {
        return Err(bad(format!("ts must be a number of milliseconds or RFC 3339, not {}", quoted(raw))));
    }
    moment_of_millis(raw)
}

fn value(raw: Option<&RawValue>) -> Result<f64, Fault> {
    let raw = raw.ok_or_else(|| bad("value is missing"))?.get();
    if matches!(raw, "\"NaN\"" | "\"Infinity\"" | "\"-Infinity\"") {
        return Err(Fault::new(Reason::NonFinite, format!("value is {}", raw.trim_matches('"'))));
    }
    if !is_number(raw) {
        return Err(bad(format!("value must be a number, not {}", quoted(raw))));
    }
    let value: f64 = raw.parse().map_err(|_| bad(format!("value must be a number, not {}", quoted(raw))))?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Fault::new(Reason::NonFinite, format!("value {} is beyond what a float holds", quoted(raw))))
    }
}

fn quality(raw: Option<&RawValue>) -> Result<Quality, Fault> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(Quality::Good) };
    match text(raw).as_deref() {
        Some("good") => Ok(Quality::Good),
        Some("uncertain") => Ok(Quality::Uncertain),
        Some("bad") => Ok(Quality::Bad),
        _ => Err(bad(format!("quality must be good, uncertain or bad, not {}", quoted(raw)))),
    }
}

fn seq(raw: Option<&RawValue>) -> Result<Option<u64>, Fault> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    raw.parse().map(Some).map_err(|_| bad(format!("seq must be an integer from 0 to 2^64-1, not {}", quoted(raw))))
}

fn correction(raw: Option<&RawValue>) -> Result<bool, Fault> {
    match raw.map(RawValue::get) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(bad(format!("correction must be true or false, not {}", quoted(other)))),
    }
}

/// A JSON string's text, its escapes undone.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Copies a message with the bare words NaN, Infinity and -Infinity put in quotes; false when there were none.
fn quote_words(bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
    const WORDS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    scratch.clear();
    let (mut at, mut found, mut inside) = (0, false, false);
    while at < bytes.len() {
        let rest = &bytes[at..];
        if !inside && let Some(word) = WORDS.iter().find(|word| rest.starts_with(word)) {
            scratch.push(b'"');
            scratch.extend_from_slice(word);
            scratch.push(b'"');
            (at, found) = (at + word.len(), true);
            continue;
        }
        if inside && rest[0] == b'\\' && rest.len() > 1 {
            scratch.extend_from_slice(&rest[..2]);
            at += 2;
            continue;
        }
        inside ^= rest[0] == b'"';
        scratch.push(rest[0]);
        at += 1;
    }
    found
}
