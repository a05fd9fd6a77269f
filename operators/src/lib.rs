//! How the engine thinks: pure timely and differential operators. No IO, no clock, no async, no randomness; what an
//! operator says at a tick follows from what it was told up to it.
//!
//! Modules in reading order: what flows between the operators ([`control`], [`chunk`], [`columns`]), how bytes become
//! readings ([`decode`]), where the state of each point lives ([`points`]), and what is made of its readings: who judges them
//! ([`rules`]) and what follows ([`alarms`]).

pub mod chunk;
pub mod columns;
pub mod control;
pub mod keep;
pub mod quantum;
pub mod real;
pub mod seen;
pub mod ticks;

pub mod decode;
pub mod points;

pub mod seal;

pub mod alarms;
pub mod rules;
pub mod scores;

pub mod compliance;
pub mod features;
pub mod plant_rows;
pub mod predictions;
pub mod sla;

#[cfg(test)]
mod script;
#[cfg(test)]
mod testing;

/// The one alias over differential's collection: rows with a tick and how often each is there.
pub type Rows<'s, D> = differential_dataflow::VecCollection<'s, dcmms_schemas::time::Tick, D, Diff>;

/// A stream of our own operators: whole values in a vector, stamped with the tick.
pub type Flow<'s, D> = timely::dataflow::Stream<'s, dcmms_schemas::time::Tick, Vec<D>>;

/// Adds (+1) or takes back (-1) a row.
pub use dcmms_schemas::outcome::Diff;
