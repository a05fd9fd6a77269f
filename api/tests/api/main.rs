//! The API against a real PostgreSQL, request by request.

mod accounts;
mod alarms;
mod assets;
mod commands;
mod intake;
mod lineage;
mod live;
mod operations;
mod orders;
mod outage;
mod plans;
mod plant;
mod platform;
mod queries;
mod readings;
mod rejects;
mod relay;
mod requests;
mod rules;
mod setup;
mod sites;
mod stock;
mod support;
mod unknown;
mod upkeep;
