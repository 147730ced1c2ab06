//! `GET /health`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::refusal::Refusal;

/// That the service answers, and which version of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Version of the service.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Whether the service answers
#[utoipa::path(
    get, path = "/health", tag = "service",
    responses((status = 200, description = "It does", body = Health)),
    security(()),
)]
pub(crate) async fn health() -> Result<Answer, Refusal> {
    Ok(Answer::ok(&Health { version: env!("CARGO_PKG_VERSION") })?)
}
