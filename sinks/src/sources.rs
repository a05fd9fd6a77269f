//! Whether the input is what it was.

use crate::error::SinkError;
use dcmms_schemas::binding::{SourcePartition, Sources};

#[derive(Debug)]
pub(crate) struct Resolved {
    /// The partitions in their fixed order, new ones at the end.
    pub(crate) sources: Sources,
    /// True when a topic is another one under the old name, and was accepted.
    pub(crate) replaced: bool,
    /// True when each partition has the place that it had, so that what was kept of them still holds.
    pub(crate) in_place: bool,
}

/// Finds each known partition among those the broker has now; adds the ones that are new at the end.
pub(crate) fn resolve(job: &str, known: &Sources, now: &Sources, accept: bool) -> Result<Resolved, SinkError> {
    let place = |one: &SourcePartition| (one.source.topic.clone(), one.partition);
    let changed = known.iter().find_map(|old| {
        let new = now.iter().find(|new| place(new) == place(old))?;
        (new.source != old.source).then_some((old, new))
    });
    let gone = known.iter().find(|old| !now.iter().any(|new| place(new) == place(old)));
    // Each in its old place, as the broker knows it now, and the new ones at the end.
    let in_place = || {
        let mut sources: Sources = known.iter().filter_map(|old| now.iter().find(|new| place(new) == place(old))).cloned().collect();
        sources.extend(now.iter().filter(|new| !known.iter().any(|old| place(old) == place(new))).cloned());
        sources
    };
    match (changed, gone) {
        (None, None) => Ok(Resolved { sources: in_place(), replaced: false, in_place: true }),
        (_, None) if accept => Ok(Resolved { sources: in_place(), replaced: true, in_place: true }),
        (_, Some(_)) if accept => Ok(Resolved { sources: now.clone(), replaced: true, in_place: false }),
        (Some((old, new)), _) => Err(SinkError::SourceChanged {
            job: job.to_owned(),
            topic: old.source.topic.clone(),
            old: Box::new((old.source.cluster.clone(), old.source.topic_id.clone())),
            new: Box::new((new.source.cluster.clone(), new.source.topic_id.clone())),
        }),
        (None, Some(old)) => Err(SinkError::SourceGone { job: job.to_owned(), topic: old.source.topic.clone(), partition: old.partition }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dcmms_schemas::binding::Source;

    fn partition(topic: &str, id: &str, partition: i32) -> SourcePartition {
        let source = Source { cluster: "c".to_owned(), topic: topic.to_owned(), topic_id: id.to_owned() };
        SourcePartition { source, partition, domain: topic == "domain" }
    }

    #[test]
    fn order_stays_and_new_partitions_come_last() {
        let known = vec![partition("telemetry", "1", 0), partition("domain", "2", 0)];
        let now = vec![partition("domain", "2", 0), partition("telemetry", "1", 0), partition("telemetry", "1", 1)];
        let resolved = resolve("main", &known, &now, false).unwrap();
        assert_eq!(resolved.sources, [known[0].clone(), known[1].clone(), now[2].clone()]);
        assert!(!resolved.replaced);
    }

    #[test]
    fn a_topic_made_anew_is_refused_unless_accepted() {
        let (known, now) = (vec![partition("telemetry", "1", 0)], vec![partition("telemetry", "9", 0)]);
        let refused = resolve("main", &known, &now, false).unwrap_err().to_string();
        assert!(refused.contains("topic id `1`; now cluster `c`, topic id `9`"), "{refused}");
        let resolved = resolve("main", &known, &now, true).unwrap();
        assert!(resolved.replaced);
        assert_eq!(resolved.sources, now);
    }

    #[test]
    fn a_partition_that_is_gone_is_refused() {
        let known = vec![partition("telemetry", "1", 0), partition("telemetry", "1", 1)];
        let refused = resolve("main", &known, &vec![known[0].clone()], false);
        assert!(matches!(refused, Err(SinkError::SourceGone { partition: 1, .. })));
    }
}
