//! The binary `dcmms`.

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = dcmms_deploy::cli::Cli::parse();
    let runtime = tokio::runtime::Runtime::new().expect("the machine has room for the runtime's threads");
    let result = runtime.block_on(dcmms_deploy::run(cli));
    // A thread that is still under way was given its time before; it must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dcmms: {error:#}");
            ExitCode::FAILURE
        }
    }
}
