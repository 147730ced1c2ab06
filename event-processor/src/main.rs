//! The Lambda function that works on the queue's messages: the only writer of results.

mod handler;

use std::process::ExitCode;

use anyhow::anyhow;
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use perf_core::config::Settings;
use perf_lambda::Adapters;

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let processor = Adapters::load(settings).await.processor()?;
    let handle = |event: LambdaEvent<SqsEvent>| {
        let processor = processor.clone();
        async move { handler::process(&processor, event.payload, event.context.deadline()).await }
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow!(error))
}
