//! What people are told when a group's intervals turn out otherwise.

use super::{AlarmChanges, machine::Interval};
use dcmms_schemas::{
    alarm::{Alarm, AlarmEvent},
    id::PointNumber,
};

/// Says the difference of two lists of one group's intervals, each in event order. One that keeps its onset is the
/// same occurrence, changed; one that is overlapped by another of its rule has moved there; any other is retracted.
pub(super) fn difference(point: PointNumber, old: &[Interval], new: &[Interval], changes: &mut AlarmChanges) {
    if old == new {
        return;
    }
    let mut is_target = vec![false; new.len()];
    for before in old {
        match new.iter().find(|after| after.same_as(before)) {
            Some(after) if after == before => continue,
            Some(after) => {
                changes.rows.push((before.alarm(point), -1));
                changes.rows.push((after.alarm(point), 1));
            }
            None => {
                changes.rows.push((before.alarm(point), -1));
                match successor(before, old, new) {
                    Some(index) => {
                        is_target[index] = true;
                        changes.events.push(AlarmEvent::Moved { from: id(before, point), to: new[index].alarm(point) });
                    }
                    None => changes.events.push(AlarmEvent::Retracted(before.alarm(point))),
                }
            }
        }
    }
    for (after, is_target) in new.iter().zip(is_target) {
        if old.iter().any(|before| before.same_as(after)) {
            continue;
        }
        changes.rows.push((after.alarm(point), 1));
        if !is_target {
            changes.events.push(AlarmEvent::Raised(after.alarm(point)));
        }
    }
}

/// The interval to which an occurrence moved: the first that overlaps it, one that was not there before if possible.
fn successor(before: &Interval, old: &[Interval], new: &[Interval]) -> Option<usize> {
    let overlapping = |after: &&Interval| after.judge.rule == before.judge.rule && after.overlaps(before);
    let fresh = |after: &&Interval| overlapping(after) && !old.iter().any(|other| other.same_as(after));
    let first = new.iter().find(fresh).or_else(|| new.iter().find(overlapping))?;
    new.iter().position(|after| after.same_as(first))
}

fn id(interval: &Interval, point: PointNumber) -> dcmms_schemas::id::AlarmId {
    Alarm::id_of(interval.judge.rule, point, interval.onset)
}
