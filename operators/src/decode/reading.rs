//! One reading between its bytes and its column.

use dcmms_schemas::{
    reading::Reason,
    time::{MILLISECOND, Moment},
};
use std::borrow::Cow;

/// A reading whose every field could be read; its point may still be unknown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed<'a> {
    pub(super) key: Cow<'a, [u8]>,
    pub(super) at: Moment,
    pub(super) value: f64,
    /// Quality and correction, as in [`crate::columns`].
    pub(super) flags: u8,
    pub(super) seq: Option<u64>,
}

/// Why a reading cannot be taken, and what precisely is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) detail: String,
    /// The point it was for, where that could be read.
    pub(super) point: Option<String>,
}

impl Fault {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Fault {
        Fault { reason, detail: detail.into(), point: None }
    }
}

/// Milliseconds since the epoch, fractions kept to the microsecond.
pub(super) fn moment_of_millis(text: &str) -> Result<Moment, Fault> {
    let bad = || Fault::new(Reason::BadTime, format!("ts {} is not a time in milliseconds", quoted(text)));
    let moment = match text.parse::<i64>() {
        Ok(millis) => millis.checked_mul(MILLISECOND).ok_or_else(bad)?,
        Err(_) => {
            let micros = (text.parse::<f64>().map_err(|_| bad())? * MILLISECOND as f64).round();
            // Beyond 2^53 a float no longer names a microsecond.
            if micros.abs() >= 9_007_199_254_740_992.0 || micros.is_nan() {
                return Err(bad());
            }
            micros as i64
        }
    };
    since_epoch(Moment(moment))
}

/// RFC 3339 with an offset; what is finer than a microsecond is cut off.
pub(super) fn moment_of_text(text: &str) -> Result<Moment, Fault> {
    let at = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|error| Fault::new(Reason::BadTime, format!("ts {} is not RFC 3339 with an offset: {error}", quoted(text))))?;
    since_epoch(Moment(at.timestamp_micros()))
}

/// The end of the year 9999: what is beyond is no time that anyone means.
pub(super) const MOMENT_MAX: Moment = Moment(253_402_300_799_999_999);

pub(super) fn since_epoch(at: Moment) -> Result<Moment, Fault> {
    if at.0 < 0 {
        return Err(Fault::new(Reason::BadTime, format!("ts {at} is before 1970")));
    }
    if at > MOMENT_MAX { Err(Fault::new(Reason::BadTime, "ts is beyond the year 9999")) } else { Ok(at) }
}

/// Input as it may appear in a sentence: short, and in quotes.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}
