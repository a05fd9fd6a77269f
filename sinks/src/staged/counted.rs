//! Counts that add up, and rows that are written once.

use super::{Merge, number, tick8};
use crate::{copy::Rows, span::Span};
use dcmms_schemas::{
    outcome::Unknown,
    time::{HOUR, Moment, Tick},
};
use std::collections::BTreeMap;

/// The key under which the readings of keys that are not listed are counted, in `unknown_points_merge.sql` too.
const REST: &str = "*";
/// Characters of a detail or of an unknown key that reach Postgres; the whole is in the file of rejects.
const TEXT_CHARACTERS_MAX: usize = 300;

pub(super) fn stage(span: &Span, job: &str, rejects_file: &str, stage: &mut impl FnMut(&'static str, Rows, Vec<Merge>)) {
    let merge = Merge::new("add to the books", include_str!("../../queries/books_merge.sql"));
    stage("copy staged_books from stdin (format binary)", books(span, job), vec![merge]);

    let merge = Merge::new("count rejects", include_str!("../../queries/rejects_merge.sql"));
    stage("copy staged_rejects from stdin (format binary)", rejects(span, job, rejects_file), vec![merge]);

    let merge = Merge::new("count unknown points", include_str!("../../queries/unknown_points_merge.sql"));
    stage("copy staged_unknown_points from stdin (format binary)", unknown(span), vec![merge]);

    let merge = Merge::new("count pending restatements", include_str!("../../queries/pending_restatements_merge.sql"));
    stage("copy staged_pending_restatements from stdin (format binary)", late(span), vec![merge]);

    let insert = Merge::new("insert commands", include_str!("../../queries/commands_insert.sql"));
    let insert = Merge { expected: Some(span.commands.len() as u64), ..insert };
    stage("copy staged_commands from stdin (format binary)", commands(span, job), vec![insert]);
}

fn books(span: &Span, job: &str) -> Rows {
    let mut rows = Rows::new(12);
    for (source, (tick, books)) in &span.books {
        rows.row().text(job).int4(i32::from(*source)).int8(books.messages).int8(books.decoded).int8(books.unreadable);
        rows.int8(books.readings).int8(books.accepted).int8(books.duplicates).int8(books.superseded).int8(books.late);
        rows.int8(books.rejected).int8(tick8(*tick));
    }
    rows
}

/// One row of `derived.rejects` in the making.
struct Refused<'a> {
    n: i64,
    first_offset: i64,
    last_offset: i64,
    detail: &'a str,
    tick: Tick,
}

fn rejects(span: &Span, job: &str, file: &str) -> Rows {
    let mut sums: BTreeMap<(u16, &str, Moment), Refused<'_>> = BTreeMap::new();
    for (tick, clock, reject) in &span.rejects {
        let one = Refused { n: 0, first_offset: reject.offset, last_offset: reject.offset, detail: &reject.detail, tick: *tick };
        let sum = sums.entry((reject.source, reject.reason.name(), clock.floor(HOUR))).or_insert(one);
        sum.n += 1;
        sum.first_offset = sum.first_offset.min(reject.offset);
        sum.last_offset = sum.last_offset.max(reject.offset);
        (sum.detail, sum.tick) = (&reject.detail, *tick);
    }
    let mut rows = Rows::new(10);
    for ((source, reason, hour), sum) in sums {
        rows.row().text(job).int4(i32::from(source)).text(reason).timestamptz(hour).int8(sum.n);
        rows.int8(sum.first_offset).int8(sum.last_offset).text(file).text(cut(sum.detail)).int8(tick8(sum.tick));
    }
    rows
}

fn unknown(span: &Span) -> Rows {
    let mut rows = Rows::new(5);
    for (key, (tick, sum)) in &span.unknown {
        let key = if key == Unknown::OTHERS { REST } else { cut(key) };
        rows.row().text(key).int8(sum.readings).timestamptz(sum.first).timestamptz(sum.last).int8(tick8(*tick));
    }
    rows
}

fn late(span: &Span) -> Rows {
    let mut rows = Rows::new(6);
    for (tick, sum) in &span.late {
        rows.row().int4(number(sum.point)).timestamptz(sum.hour).int8(sum.readings);
        rows.timestamptz(sum.first).timestamptz(sum.last).int8(tick8(*tick));
    }
    rows
}

fn commands(span: &Span, job: &str) -> Rows {
    let mut rows = Rows::new(5);
    for (tick, command) in &span.commands {
        rows.row().uuid(command.id.0).text(job).int8(tick8(*tick)).timestamptz(command.at).json(&command.request);
    }
    rows
}

/// The beginning of a text: what a device sends may be of any length, an index entry may not.
fn cut(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARACTERS_MAX).map_or(text, |(end, _)| &text[..end])
}
