//! Things that are installed at positions: how they live, what relates their places, and how claims under their warranties go.

pub mod claim;
pub mod life;

use crate::order::kinds::names;
use serde::{Deserialize, Serialize};

names!(
    /// How one position stands to another.
    Relation {
        Feeds = "feeds",
        Protects = "protects",
        Measures = "measures",
        Controls = "controls",
        RedundantWith = "redundant_with",
        SharesEnclosure = "shares_enclosure",
    }
);

impl Relation {
    /// Whether a ring of it makes no sense: what feeds cannot be fed by what it feeds.
    pub const fn is_acyclic(self) -> bool {
        matches!(self, Relation::Feeds | Relation::Protects | Relation::Controls)
    }

    /// Whether it holds both ways, so that it is said once.
    pub const fn is_mutual(self) -> bool {
        matches!(self, Relation::RedundantWith | Relation::SharesEnclosure)
    }
}
