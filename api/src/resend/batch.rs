//! What of a stretch of a file is to be sent again.

use crate::{
    publish::Once,
    rejects::files::{self, Lines, Reach},
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{reading::Reason, rejected::Line};
use std::{collections::HashSet, io};

/// Which lines a request asks for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) reasons: HashSet<String>,
    pub(super) keys: Option<HashSet<String>>,
    pub(super) partition: Option<i32>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) before: Option<DateTime<Utc>>,
}

impl Wanted {
    fn takes(&self, reason: Reason, line: &Line, origin: &Origin) -> bool {
        let at = || DateTime::from_timestamp_micros(line.clock.0);
        self.reasons.contains(reason.name())
            && self.keys.as_ref().is_none_or(|keys| line.point.as_ref().is_some_and(|point| keys.contains(point)))
            && self.partition.is_none_or(|partition| partition == origin.partition)
            && self.since.is_none_or(|since| at().is_some_and(|at| at >= since))
            && self.before.is_none_or(|before| at().is_some_and(|at| at < before))
    }
}

/// Where a refused message or reading first came from; the same in every job that refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// cluster/topic/topic id.
    pub(crate) source: String,
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Which reading of the message; `None` where all of it was refused.
    pub(crate) index: Option<u32>,
}

impl Origin {
    /// `None` where the job no longer reads that source.
    pub(crate) fn of(reach: &Reach, line: &Line) -> Option<Origin> {
        let about = reach.sources.get(usize::from(line.source))?;
        Some(Origin {
            source: format!("{}/{}/{}", about.source.cluster, about.source.topic, about.source.topic_id),
            topic: about.source.topic.clone(),
            partition: about.partition,
            offset: line.offset,
            index: line.index,
        })
    }

    /// `topic/partition/offset/index`.
    pub(crate) fn id(&self) -> String {
        let place = self.index.map_or_else(|| "-".to_owned(), |index| index.to_string());
        format!("{}/{}/{}/{place}", self.topic, self.partition, self.offset)
    }
}

/// A stretch of a file: where it ends and what of it is asked for.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) upto: u64,
    pub(super) messages: Vec<(Origin, Once)>,
}

impl Batch {
    /// Reads until there are so many messages, or to the end of the stretch.
    pub(super) async fn read(mut lines: Lines, reach: &Reach, wanted: &Wanted, messages_max: usize) -> io::Result<Batch> {
        let mut messages = Vec::new();
        while messages.len() < messages_max
            && let Some(line) = lines.next().await?
        {
            messages.extend(files::read(line, &reach.job).and_then(|line| message(reach, wanted, line)));
        }
        Ok(Batch { upto: lines.at, messages })
    }
}

/// To the partition it came from, so that what one point said stays in order.
fn message(reach: &Reach, wanted: &Wanted, line: Line) -> Option<(Origin, Once)> {
    let origin = Origin::of(reach, &line)?;
    if !wanted.takes(line.reason, &line, &origin) {
        return None;
    }
    let payload = line.bytes()?.into();
    let (topic, partition, format) = (origin.topic.clone(), origin.partition, line.format);
    let once = Once { topic, partition, id: origin.id(), key: line.point, payload, format };
    Some((origin, once))
}
