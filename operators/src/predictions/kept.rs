//! Sites in a checkpoint: an entry per hour, per score and per track of proposals, in the shard of the site.

use super::{
    Predictor,
    runs::{Run, Scored},
    site::Site,
};
use crate::{
    features::HourStat,
    keep::{Keep, Pages, Restored, read, shard_of_id},
};
use dcmms_schemas::{
    id::{ModelId, PointNumber, PositionId, PredictionId, SiteId},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an entry of a site is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Entry {
    /// Up to when hours have been settled as being over.
    Over,
    Hour(PointNumber, Moment),
    Scored(ModelId, PositionId, Moment),
    /// The proposals and the run before what is held.
    Track(ModelId, PositionId),
}

#[derive(Serialize, Deserialize)]
struct Proposals {
    proposed: BTreeMap<Moment, PredictionId>,
    before: Option<Run>,
}

impl Keep for Predictor {
    const NAME: &'static str = "predictions";

    fn save(&mut self, pages: &mut Pages) {
        for (id, site) in &mut self.sites {
            let shard = shard_of_id(id.0);
            let changed = std::mem::take(&mut site.changed);
            if pages.wants_all(shard) {
                site.entries().into_iter().for_each(|entry| site.save(*id, shard, entry, pages));
            } else {
                changed.into_iter().for_each(|entry| site.save(*id, shard, entry, pages));
            }
        }
    }

    fn load(&mut self, restored: &Restored) {
        self.now = restored.binding.clock;
        let mut changed = std::collections::BTreeSet::new();
        restored.domain.iter().for_each(|event| self.plant.apply(event, &mut changed));
        let (index, peers) = (self.index as u128, self.peers as u128);
        let mine = |(site, _): &(SiteId, Entry)| site.0.as_u128() % peers == index;
        restored.entries(Self::NAME, mine, |(id, entry): (SiteId, Entry), values| {
            let newest = values.last().expect("a key that was found has a value");
            self.sites.entry(id).or_default().load(entry, newest);
        });
    }
}

impl Site {
    fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![Entry::Over];
        entries.extend(self.hours.keys().map(|(point, hour)| Entry::Hour(*point, *hour)));
        for ((model, position), track) in &self.tracks {
            entries.push(Entry::Track(*model, *position));
            entries.extend(track.scored.keys().map(|hour| Entry::Scored(*model, *position, *hour)));
        }
        entries
    }

    /// Writes an entry as it is, or that it is gone.
    fn save(&self, id: SiteId, shard: u8, entry: Entry, pages: &mut Pages) {
        let key = (id, entry);
        match entry {
            Entry::Over => pages.put(shard, &key, &self.over),
            Entry::Hour(point, hour) => match self.hours.get(&(point, hour)) {
                Some(stat) => pages.put(shard, &key, stat),
                None => pages.gone(shard, &key),
            },
            Entry::Scored(model, position, hour) => match self.tracks.get(&(model, position)).and_then(|track| track.scored.get(&hour)) {
                Some(scored) => pages.put(shard, &key, scored),
                None => pages.gone(shard, &key),
            },
            Entry::Track(model, position) => match self.tracks.get(&(model, position)) {
                Some(track) => pages.put(shard, &key, &Proposals { proposed: track.proposed.clone(), before: track.before }),
                None => pages.gone(shard, &key),
            },
        }
    }

    fn load(&mut self, entry: Entry, value: &[u8]) {
        match entry {
            Entry::Over => self.over = read(value),
            Entry::Hour(point, hour) => self.restore_hour(point, hour, read::<HourStat>(value)),
            Entry::Scored(model, position, hour) => {
                self.tracks.entry((model, position)).or_default().scored.insert(hour, read::<Scored>(value));
            }
            Entry::Track(model, position) => {
                let track = self.tracks.entry((model, position)).or_default();
                Proposals { proposed: track.proposed, before: track.before } = read(value);
            }
        }
    }
}
