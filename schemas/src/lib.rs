//! What a thing is, at rest and on the wire. The nouns of dCMMS: no IO, no clock, no async.
//!
//! Modules in reading order: identity and time, what the plant is, what it says, what is made of it,
//! and the seam over which the dataflows hand it to the sinks.

pub mod id;
pub mod time;

pub mod access;
pub mod asset;
pub mod calendar;
pub mod domain;
pub mod machine;
pub mod model;
pub mod order;
pub mod plan;
pub mod plant;
pub mod request;
pub mod rule;
pub mod sla;
pub mod stock;

pub mod reading;
pub mod rejected;
pub mod wire;

pub mod alarm;
pub mod command;
pub mod compliance;
pub mod prediction;
pub mod rollup;

pub mod binding;
pub mod books;
pub mod checkpoint;
pub mod job;
pub mod outcome;
pub mod sealed;

#[cfg(feature = "postgres")]
pub mod migrations;
#[cfg(feature = "testing")]
pub mod testing;
