//! The Lambda function that takes events and batches, and reads results.

use std::process::ExitCode;

use api_handler::{gateway, store_routes};
use perf_core::config::Settings;
use perf_lambda::Adapters;

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let adapters = Adapters::load(settings).await;
    gateway::serve(store_routes(adapters.submissions()?, adapters.queries()?), &adapters).await
}
