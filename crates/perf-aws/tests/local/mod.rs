//! Clients of a server on this machine.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use perf_aws::Clients;

pub async fn clients(endpoint: &str) -> Clients {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint);
    Clients::from_loader(loader).await
}
