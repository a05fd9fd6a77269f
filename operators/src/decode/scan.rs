//! The fast way through the JSON that nearly every message is: one flat object with our fields only.
//!
//! It reads a message once, without copying or allocating. Whatever is unusual (an escape, a field that is not ours or
//! comes twice, a time as text, an exponent, bytes after the object) makes it give up, and [`super::json`] says what
//! the message is. It never gives an answer that differs from that one's; a property test holds the two together.

use super::{
    number::{decimal, integer},
    reading::{MOMENT_MAX, Parsed},
};
use crate::columns::{CORRECTION, flags_of};
use dcmms_schemas::{reading::Quality, time::Moment};
use std::borrow::Cow;

const POINT: u8 = 1;
const TS: u8 = 2;
const VALUE: u8 = 4;
const QUALITY: u8 = 8;
const SEQ: u8 = 16;
const CORRECTED: u8 = 32;

/// Reads one flat object that is the whole message.
pub(super) fn message(bytes: &[u8]) -> Option<Parsed<'_>> {
    let (parsed, end) = object(bytes, blank(bytes, 0))?;
    (blank(bytes, end) == bytes.len()).then_some(parsed)
}

/// Reads an array of flat objects that is the whole message, each with its place in the bytes.
pub(super) fn array(bytes: &[u8]) -> Option<Vec<(Parsed<'_>, &[u8])>> {
    let mut at = blank(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let mut readings = Vec::with_capacity(bytes.len() / 64);
    loop {
        let start = blank(bytes, at + 1);
        let (parsed, end) = object(bytes, start)?;
        readings.push((parsed, &bytes[start..end]));
        at = blank(bytes, end);
        match bytes.get(at) {
            Some(b',') => {}
            Some(b']') => break,
            _ => return None,
        }
    }
    (blank(bytes, at + 1) == bytes.len()).then_some(readings)
}

/// Reads the object that starts at `bytes[at]` and says where it ends.
#[inline]
fn object(bytes: &[u8], mut at: usize) -> Option<(Parsed<'_>, usize)> {
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    let mut key: &[u8] = &[];
    let (mut millis, mut value, mut flags, mut seq, mut seen) = (0, 0.0, 0, 0, 0u8);
    loop {
        let (name, end) = string(bytes, blank(bytes, at + 1))?;
        at = blank(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = blank(bytes, at + 1);
        let field = match name {
            b"point" => {
                (key, at) = string(bytes, at)?;
                POINT
            }
            b"ts" => {
                (millis, at) = integer(bytes, at)?;
                TS
            }
            b"value" => {
                (value, at) = decimal(bytes, at)?;
                VALUE
            }
            b"quality" => {
                let (name, end) = string(bytes, at)?;
                flags |= flags_of(quality_of(name)?, false);
                at = end;
                QUALITY
            }
            b"seq" => {
                (seq, at) = integer(bytes, at)?;
                SEQ
            }
            b"correction" => {
                let (corrected, end) = boolean(bytes, at)?;
                flags |= if corrected { CORRECTION } else { 0 };
                at = end;
                CORRECTED
            }
            _ => return None,
        };
        if seen & field != 0 {
            return None;
        }
        seen |= field;
        at = blank(bytes, at);
        match bytes.get(at) {
            Some(b',') => {}
            Some(b'}') => break,
            _ => return None,
        }
    }
    if seen & (POINT | TS | VALUE) != POINT | TS | VALUE || key.is_empty() || key.len() > super::KEY_BYTES_MAX {
        return None;
    }
    let at_moment = Moment(i64::try_from(millis).ok()?.checked_mul(1_000)?);
    if at_moment > MOMENT_MAX {
        return None;
    }
    let seq = (seen & SEQ != 0).then_some(seq);
    Some((Parsed { key: Cow::Borrowed(key), at: at_moment, value, flags, seq }, at + 1))
}

/// Skips white space.
#[inline]
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Reads the string that starts at `bytes[at]`, without its quotes. Gives up on escapes, control characters and bytes
/// that are not UTF-8.
#[inline]
fn string(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let start = at + 1;
    let mut end = start;
    let mut wide = 0;
    // Eight bytes at a time: a byte is of interest when it is a quote, a backslash or below a space.
    while let Some(word) = bytes.get(end..end + 8) {
        let word = u64::from_le_bytes(word.try_into().expect("a slice of eight bytes"));
        let quote = word ^ (ONES * u64::from(b'"'));
        let escape = word ^ (ONES * u64::from(b'\\'));
        let stops = (quote.wrapping_sub(ONES) & !quote) | (escape.wrapping_sub(ONES) & !escape) | (word.wrapping_sub(ONES * 0x20) & !word);
        let stops = stops & HIGHS;
        if stops != 0 {
            // What a borrow makes of higher bytes does not matter: the lowest stop is a true one.
            let ahead = stops.trailing_zeros() / 8;
            wide |= word & HIGHS & ((1u64 << (8 * ahead)) - 1);
            end += ahead as usize;
            return finish(bytes, start, end, wide != 0);
        }
        wide |= word & HIGHS;
        end += 8;
    }
    while let Some(byte) = bytes.get(end).filter(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\') {
        wide |= u64::from(*byte) & 0x80;
        end += 1;
    }
    finish(bytes, start, end, wide != 0)
}

#[inline]
fn finish(bytes: &[u8], start: usize, end: usize, wide: bool) -> Option<(&[u8], usize)> {
    if bytes.get(end) != Some(&b'"') {
        return None;
    }
    let text = &bytes[start..end];
    (!wide || std::str::from_utf8(text).is_ok()).then_some((text, end + 1))
}

#[inline]
fn quality_of(name: &[u8]) -> Option<Quality> {
    match name {
        b"good" => Some(Quality::Good),
        b"uncertain" => Some(Quality::Uncertain),
        b"bad" => Some(Quality::Bad),
        _ => None,
    }
}

fn boolean(bytes: &[u8], at: usize) -> Option<(bool, usize)> {
    let rest = &bytes[at..];
    if rest.starts_with(b"true") {
        Some((true, at + 4))
    } else if rest.starts_with(b"false") {
        Some((false, at + 5))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
