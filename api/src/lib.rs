//! The HTTP face of dCMMS and the only writer of `app.*`.
//!
//! Knows nothing of Kafka (deploy gives it a [`publish::Publish`]) and nothing of the engine but its tables.
//! In reading order: what every request goes through ([`mod@router`], `gate`, `extract`, [`problem`]), what every change
//! leaves behind ([`outbox`]), what resources have in common (`resource`), then one group of files per resource.

// utoipa's derive qualifies what is already in scope.
#![allow(unused_qualifications)]

pub mod problem;
pub mod publish;
pub mod service;

pub mod extract;
pub mod gate;
pub mod respond;
pub mod router;
pub mod routes;

pub mod outbox;
mod resource;
pub mod work;

pub mod accounts;

mod assets;
pub mod calendars;
mod changes;
pub mod classes;
pub mod models;
pub mod points;
pub mod positions;
pub mod rules;
pub mod sites;

// What points say, and how the engine is doing.
mod intake;
pub mod live;
pub mod operations;
mod readings;
pub mod rejects;
pub mod resend;
pub mod unknown;

// What people do with what the engine says.
pub mod alarms;
pub mod lineage;
pub mod orders;
pub mod plans;
pub mod predictions;
mod requests;
pub mod sla;
mod stock;
pub mod technicians;
mod upkeep;

// What runs beside the requests.
pub mod commands;
pub mod relay;
mod wake;

mod check;

// Many rows at once, for mappings and the demo.
pub mod demo;
pub mod setup;

mod health;

pub use router::{document, queries, router};
pub use service::{Limits, Service, Shared};
