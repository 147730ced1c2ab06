//! The Lambda function that verifies tokens for API Gateway.

use std::process::ExitCode;

use api_handler::authorizer::Authorizer;
use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequest;
use lambda_runtime::{LambdaEvent, service_fn};
use perf_aws::Clients;
use perf_core::config::Settings;

fn main() -> ExitCode {
    perf_lambda::start(run)
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let authorizer = Authorizer::new(&settings, &Clients::load().await)?;
    let authorizer = &authorizer;
    let handler = |event: LambdaEvent<ApiGatewayCustomAuthorizerRequest>| async move {
        authorizer.authorize(&event.payload).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handler)).await.map_err(anyhow::Error::from_boxed)
}
