//! Open-loop load on a running job, and how long its rows take to be committed.
//!
//! `load --brokers B --database URL --rate 72000 --points 20000 --seconds 300` announces the points and one rule on the
//! domain topic, produces one JSON reading per message at a fixed rate (latency counts from the intended send time, so
//! a slow producer cannot hide a slow engine), and after every commit that the sink notifies looks up sampled points:
//! a reading is *visible* when `derived.latest` or the one-minute row reflects it, an alarm when its row is there.

mod arguments;
mod plant;
mod produce;
mod report;
mod watch;

use arguments::Arguments;
use std::sync::{Arc, Mutex};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let plant = plant::Plant::new(arguments.points);
    plant::announce(&arguments, &plant)?;
    let sent = Arc::new(Mutex::new(produce::Sent::default()));
    let watching = runtime.block_on(watch::start(&arguments, &plant, &sent))?;
    println!("waiting until the job knows the points …");
    runtime.block_on(watch::known(&arguments))?;
    let produced = produce::run(&arguments, &plant, &sent)?;
    let watched = runtime.block_on(watching.finish(&arguments, produced.messages))?;
    report::print(&arguments, &produced, &watched);
    if watched.missing != 0 {
        return Err(format!("{} readings are missing from the books", watched.missing).into());
    }
    Ok(())
}
