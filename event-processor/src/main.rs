//! The Lambda function that works on the queue's messages: the only writer of results.

mod handler;

use std::process::ExitCode;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use perf_core::config::Settings;
use perf_lambda::Adapters;

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let processor = Adapters::load(settings).await.processor()?;
    let processor = &processor;
    let handler = |event: LambdaEvent<SqsEvent>| async move {
        let deadline = event.context.deadline();
        handler::handle(processor, event.payload, deadline).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
