use super::*;
use crate::{
    seen::Seen,
    testing::{point, told},
};
use dcmms_schemas::domain::Row;
use std::sync::Arc;

const CLOCK: Moment = Moment(1_000_000_000);

fn decoder(seen: &Arc<Seen>) -> Decoder {
    let mut decoder = Decoder::new(DecodeOptions { unknown_max: 2, ..DecodeOptions::new(Arc::clone(seen)) }, 2);
    decoder.told(&[Arc::new(told(1, Row::Point(point(4, "a")))), Arc::new(told(1, Row::Point(point(5, "b"))))]);
    decoder
}

fn chunk(messages: &[&str]) -> Chunk {
    let mut chunk = Chunk::new(3);
    for (offset, message) in messages.iter().enumerate() {
        chunk.push(100 + offset as i64, Format::Json, message.as_bytes());
    }
    chunk
}

#[test]
fn readings_go_to_the_worker_that_owns_their_point() {
    let seen = Arc::new(Seen::default());
    let messages =
        [r#"{"point":"a","ts":1000,"value":1}"#, r#"[{"point":"b","ts":2000,"value":2,"seq":9},{"point":"a","ts":900,"value":3}]"#];
    let mut sheet = decoder(&seen).chunks(&mut [chunk(&messages)], CLOCK);
    assert_eq!(sheet.columns.len(), 2);
    assert_eq!((sheet.columns[0].worker, &sheet.columns[0].points), (0, &vec![4, 4]));
    assert_eq!((sheet.columns[1].worker, &sheet.columns[1].points), (1, &vec![5]));
    assert_eq!((sheet.columns[1].seq(0), sheet.columns[0].seq(0), sheet.columns[1].order), (Some(9), None, 100));
    assert_eq!(seen.greatest(3), Moment(2_000_000));
    let outcome = sheet.outcome();
    assert_eq!(outcome.books, [(3, Books { messages: 2, decoded: 2, readings: 3, ..Books::default() })]);
    assert!(outcome.rejects.is_empty());
}

#[test]
fn one_bad_reading_of_an_array_is_refused_alone() {
    let messages = [r#"[{"point":"a","ts":1,"value":NaN},{"point":"a","ts":1,"value":1},7]"#];
    let mut sheet = decoder(&Arc::default()).chunks(&mut [chunk(&messages)], CLOCK);
    assert_eq!(sheet.columns[0].len(), 1);
    let outcome = sheet.outcome();
    assert_eq!(outcome.books[0].1, Books { messages: 1, decoded: 1, readings: 3, rejected: 2, ..Books::default() });
    let said: Vec<_> = outcome.rejects.iter().map(|reject| (reject.reason, reject.index, reject.offset)).collect();
    assert_eq!(said, [(Reason::NonFinite, Some(0), 100), (Reason::BadField, Some(2), 100)]);
    assert_eq!(outcome.rejects[0].bytes, br#"{"point":"a","ts":1,"value":"NaN"}"#);
}

#[test]
fn what_cannot_be_read_is_kept_whole() {
    let messages = ["{\"point\":", "true", "\u{1F4A9}", ""];
    let mut sheet = decoder(&Arc::default()).chunks(&mut [chunk(&messages)], CLOCK);
    let outcome = sheet.outcome();
    assert_eq!(outcome.books[0].1, Books { messages: 4, unreadable: 4, ..Books::default() });
    assert!(outcome.rejects.iter().all(|reject| reject.reason == Reason::Unreadable && reject.index.is_none()));
    assert_eq!(outcome.rejects[0].bytes, messages[0].as_bytes());
}

#[test]
fn the_future_and_the_unknown_are_refused_with_their_bytes() {
    let late = CLOCK.plus(60_000_000).millis();
    let messages = [
        format!(r#"{{"point":"a","ts":{late},"value":1}}"#),
        format!(r#"{{"point":"a","ts":{},"value":1}}"#, late + 1),
        r#"{"point":"x","ts":5,"value":1}"#.to_owned(),
        r#"{"point":"x","ts":3,"value":1}"#.to_owned(),
        r#"{"point":"y","ts":1,"value":1}"#.to_owned(),
        r#"{"point":"z","ts":1,"value":1}"#.to_owned(),
        r#"{"point":"w","ts":2,"value":1}"#.to_owned(),
        r#"{"point":"a","ts":2,"value":1e20}"#.to_owned(),
    ];
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let mut sheet = decoder(&Arc::default()).chunks(&mut [chunk(&messages)], CLOCK);
    assert_eq!(sheet.columns[0].len(), 1, "a minute ahead is still allowed");
    let outcome = sheet.outcome();
    let reasons: Vec<Reason> = outcome.rejects.iter().map(|reject| reject.reason).collect();
    let unknown = Reason::UnknownPoint;
    assert_eq!(reasons, [Reason::Future, unknown, unknown, unknown, unknown, unknown, Reason::OutOfResolution]);
    assert_eq!(outcome.rejects[1].bytes, messages[2].as_bytes());
    assert_eq!(outcome.rejects[1].point.as_deref(), Some("x"));
    let unknown: Vec<_> =
        outcome.unknown.iter().map(|row| (row.key.as_str(), row.readings, row.first.millis(), row.last.millis())).collect();
    assert_eq!(unknown, [("", 2, 1, 2), ("x", 2, 3, 5), ("y", 1, 1, 1)], "the third name and further ones are counted together");
}
