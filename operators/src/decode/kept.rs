//! What decoding keeps: how far event time has come in each partition. The directory is made anew from the domain.

use super::decoder::Decoder;
use crate::keep::{Keep, Pages, Restored};
use dcmms_schemas::{checkpoint::shard_of, time::Moment};

impl Keep for Decoder {
    const NAME: &'static str = "decode";

    /// Every worker writes what all have seen, which may be a little more than they had at the cut: a watermark is decided by the
    /// bindings that follow, never by this.
    fn save(&mut self, pages: &mut Pages) {
        for (source, greatest) in self.seen().all().into_iter().enumerate() {
            pages.put(shard_of(source as u64), &(source as u16), &greatest);
        }
    }

    fn load(&mut self, restored: &Restored) {
        self.told(&restored.domain);
        restored.newest(Self::NAME, |_| true, |source: u16, greatest: Moment| self.seen().raise(source, greatest));
    }
}
