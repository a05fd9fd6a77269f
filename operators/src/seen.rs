//! How far event time has come in each partition, told across workers.

use dcmms_schemas::time::Moment;
use std::sync::{Mutex, PoisonError};

/// The greatest valid moment decoded so far, per source. Decoders raise it once per chunk; worker 0 reads it when it
/// mints a binding, and the binding makes what it read a fact that replays the same.
#[derive(Debug, Default)]
pub struct Seen {
    greatest: Mutex<Vec<Moment>>,
}

impl Seen {
    /// Raises the greatest moment of a source; an older one changes nothing.
    pub fn raise(&self, source: u16, at: Moment) {
        let mut greatest = self.greatest.lock().unwrap_or_else(PoisonError::into_inner);
        let source = usize::from(source);
        if greatest.len() <= source {
            greatest.resize(source + 1, Moment::MIN);
        }
        greatest[source] = greatest[source].max(at);
    }

    /// The greatest moment of a source, or [`Moment::MIN`] when nothing valid was seen.
    pub fn greatest(&self, source: u16) -> Moment {
        let greatest = self.greatest.lock().unwrap_or_else(PoisonError::into_inner);
        greatest.get(usize::from(source)).copied().unwrap_or(Moment::MIN)
    }

    /// The greatest moment of each source, as far as something valid was seen.
    pub fn all(&self) -> Vec<Moment> {
        self.greatest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
