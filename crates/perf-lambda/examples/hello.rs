//! The least that a function on this runtime can do: what the others are measured against.

use std::error::Error;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let answer = |_: LambdaEvent<Value>| async { Ok::<_, lambda_runtime::Error>(json!({"statusCode": 200})) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(lambda_runtime::run(service_fn(answer)))
}
