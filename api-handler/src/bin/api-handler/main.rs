//! The Lambda function that takes events and batches, and reads results.

use std::process::ExitCode;
use std::sync::Arc;

use api_handler::gateway::GatewayCaller;
use api_handler::{ApiState, Surroundings, router, store_routes};
use perf_core::config::Settings;
use perf_lambda::{Adapters, RandomIds, SystemClock};

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let adapters = Adapters::load(settings).await;
    let surroundings = Surroundings {
        authenticator: Arc::new(GatewayCaller),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
        idempotency: adapters.idempotency()?,
        workers: adapters.workers(),
    };
    let routes = store_routes(adapters.submissions()?, adapters.queries()?);
    lambda_http::run(router(routes, ApiState::new(surroundings))).await.map_err(anyhow::Error::from_boxed)
}
