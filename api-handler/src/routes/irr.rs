//! `POST /irr`.

use axum::extract::State;
use perf_core::calculations::internal_rate_of_return;
use perf_core::model::{IrrResult, read};
use perf_core::services::Scope;

use crate::answer::Answer;
use crate::extract::{Authorized, JsonText};
use crate::idempotent::{Call, CallKey, once};
use crate::openapi::IrrBody;
use crate::refusal::{Refusal, Require};
use crate::state::ApiState;

/// Find every internal rate of return of dated cash flows
///
/// Needs the scope `performance:read`.
#[utoipa::path(
    post, path = "/irr", tag = "calculations",
    request_body = IrrBody,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The caller's own name for this call",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    responses((status = 200, description = "The rate and every root", body = IrrResult)),
)]
pub(crate) async fn irr(
    State(state): State<ApiState>,
    Authorized(caller): Authorized,
    key: CallKey,
    JsonText(text): JsonText,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let (workers, body) = (state.workers().clone(), text.clone());
    let work = async move {
        let bytes = body.len();
        let compute = move || Ok(internal_rate_of_return(&read::irr(&body)?));
        Ok(Answer::ok(&workers.run(bytes, compute).await?)?)
    };
    once(&state, key, Call { tenant: &caller.client_id, route: "POST /irr", body: &text }, work).await
}
