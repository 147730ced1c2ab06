//! `POST /irr`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use perf_core::calculations::internal_rate_of_return;
use perf_core::model::{IrrResult, read};

use super::json;
use crate::answers::{Key, cached};
use crate::auth::Scope;
use crate::extract::{Authorized, JsonText};
use crate::openapi::IrrBody;
use crate::refusal::Refusal;
use crate::state::ApiState;

/// Find every internal rate of return of dated cash flows
///
/// Needs the scope `performance:read`.
#[utoipa::path(
    post, path = "/irr", tag = "calculations",
    request_body = IrrBody,
    responses((status = 200, description = "The rate and every root", body = IrrResult)),
)]
pub(crate) async fn irr(
    State(state): State<ApiState>,
    Authorized(caller): Authorized,
    JsonText(text): JsonText,
) -> Result<Response, Refusal> {
    if !caller.scopes.allow(Scope::Read) {
        return Err(Refusal::scope(Scope::Read));
    }
    let (workers, bytes) = (state.workers(), text.len());
    let body = text.clone();
    let compute = || workers.run(bytes, move || Ok(Arc::new(internal_rate_of_return(&read::irr(&body)?))));
    let key = Key::new(caller.client_id, &text);
    let (result, _) = cached(&state.answers().irrs, key, compute).await?;
    json(result.as_ref())
}
