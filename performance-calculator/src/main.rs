//! The Lambda function that answers calculations.

use std::process::ExitCode;

use api_handler::{calculator_routes, gateway};
use perf_core::config::Settings;
use perf_lambda::Adapters;

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let adapters = Adapters::load(settings).await;
    gateway::serve(calculator_routes(adapters.calculator()?, adapters.submissions()?), &adapters).await
}
