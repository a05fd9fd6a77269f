//! Times as people and loggers write them.

use super::map::{Gap, Overlap, TimeMap};
use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
    format::{Item, Parsed, StrftimeItems, parse},
};
use chrono_tz::Tz;
use dcmms_schemas::time::Moment;

/// Reads the time column of a file.
#[derive(Debug)]
pub struct TimeReader {
    form: Form,
    zone: Tz,
    overlap: Overlap,
    gap: Gap,
}

#[derive(Debug)]
enum Form {
    Rfc3339,
    EpochSeconds,
    EpochMillis,
    Strftime(Vec<Item<'static>>),
}

/// Says what is wrong with a format, if anything.
pub fn check_format(format: &str) -> Result<(), String> {
    form(format).map(|_| ())
}

fn form(format: &str) -> Result<Form, String> {
    match format {
        "rfc3339" => Ok(Form::Rfc3339),
        "epoch_s" => Ok(Form::EpochSeconds),
        "epoch_ms" => Ok(Form::EpochMillis),
        _ if !format.contains('%') => Err(format!("time format {format:?} is none of rfc3339, epoch_s, epoch_ms and has no % of strftime")),
        _ => match StrftimeItems::new(format).parse_to_owned() {
            Ok(items) => Ok(Form::Strftime(items)),
            Err(_) => Err(format!("time format {format:?} has a % that strftime does not know")),
        },
    }
}

impl TimeReader {
    /// Takes a checked mapping.
    pub fn new(map: &TimeMap) -> TimeReader {
        TimeReader {
            form: form(map.format.get_ref()).expect("the mapping was checked"),
            zone: map.zone.as_ref().map_or(Tz::UTC, |zone| zone.get_ref().parse().expect("the mapping was checked")),
            overlap: map.overlap,
            gap: map.gap,
        }
    }

    pub fn read(&self, text: &str) -> Result<Moment, String> {
        let text = text.trim();
        match &self.form {
            Form::Rfc3339 => match DateTime::parse_from_rfc3339(text) {
                Ok(at) => Ok(Moment::from(at.with_timezone(&Utc))),
                Err(error) => Err(format!("time {text:?}: {error}")),
            },
            Form::EpochSeconds => epoch(text, 1e6),
            Form::EpochMillis => epoch(text, 1e3),
            Form::Strftime(items) => self.strftime(text, items),
        }
    }

    fn strftime(&self, text: &str, items: &[Item<'static>]) -> Result<Moment, String> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, items.iter()).map_err(|error| format!("time {text:?}: {error}"))?;
        // A format with %z or %s says the instant itself.
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            let at = parsed.to_datetime().or_else(|_| parsed.to_datetime_with_timezone(&Utc).map(|at| at.fixed_offset()));
            return at.map(|at| Moment::from(at.with_timezone(&Utc))).map_err(|error| format!("time {text:?}: {error}"));
        }
        let date: NaiveDate = parsed.to_naive_date().map_err(|error| format!("time {text:?}: {error}"))?;
        let time = if parsed.hour_mod_12().is_none() {
            NaiveTime::MIN
        } else {
            parsed.to_naive_time().map_err(|error| format!("time {text:?}: {error}"))?
        };
        self.local(date.and_time(time))
    }

    /// The instant of a wall time. What exists twice or never is settled as the mapping says.
    fn local(&self, local: NaiveDateTime) -> Result<Moment, String> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(at) => Ok(Moment::from(at.with_timezone(&Utc))),
            LocalResult::Ambiguous(earlier, later) => match self.overlap {
                Overlap::Earlier => Ok(Moment::from(earlier.with_timezone(&Utc))),
                Overlap::Later => Ok(Moment::from(later.with_timezone(&Utc))),
                Overlap::Reject => Err(format!("{local} exists twice in {}: its clock is put back", self.zone)),
            },
            LocalResult::None => match self.gap {
                Gap::Reject => Err(format!("{local} does not exist in {}: its clock is put forward", self.zone)),
                Gap::Shift => {
                    let before = self.zone.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix();
                    Ok(Moment::from((local - TimeDelta::seconds(i64::from(before.local_minus_utc()))).and_utc()))
                }
            },
        }
    }
}

fn epoch(text: &str, micros: f64) -> Result<Moment, String> {
    // Whole numbers are read as such, so that no bit is lost on the way through a float.
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_mul(micros as i64).map(Moment).ok_or_else(|| format!("time {text:?} is too far away"));
    }
    match text.parse::<f64>() {
        Ok(number) if (number * micros).abs() < 8e18 => Ok(Moment((number * micros).round() as i64)),
        _ => Err(format!("time {text:?} is no number since the epoch")),
    }
}
