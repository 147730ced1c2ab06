//! `POST /calculations`, `POST /events` and `GET /requests/{request_id}`.

use axum::Extension;
use axum::extract::{Path, State};
use perf_core::model::read;
use perf_core::services::{Accepted, Queries, Scope, StatusReport, Submissions};

use super::tenant;
use crate::answer::Answer;
use crate::extract::{Authorized, JsonText};
use crate::idempotent::{Call, CallKey, once};
use crate::observe::RequestId;
use crate::openapi::{EventsBody, SubmissionBody};
use crate::parameters::Parameters;
use crate::refusal::{Refusal, Require};
use crate::state::ApiState;

/// Queue one calculation or up to 1,000
///
/// Needs the scope `performance:write`. Where one request of a list cannot be read, none is queued.
#[utoipa::path(
    post, path = "/calculations", tag = "queue",
    request_body = SubmissionBody,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The caller's own name for this call",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    responses((status = 202, description = "Queued", body = Accepted)),
)]
pub(crate) async fn calculations(
    State(state): State<ApiState>,
    Extension(submissions): Extension<Submissions>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Authorized(caller): Authorized,
    key: CallKey,
    JsonText(text): JsonText,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Write)?;
    let body = text.clone();
    let requests = state.workers().run(text.len(), move || read::calculations(&body)).await?;
    let owner = caller.client_id.clone();
    let work = async move {
        Ok(Answer::accepted(&submissions.calculations(requests, &caller, &request_id).await?)?)
    };
    once(&state, key, Call { tenant: &owner, route: "POST /calculations", body: &text }, work).await
}

/// Queue one event or up to 1,000
///
/// Needs the scope `performance:write`. The tenant is the caller's, whatever the events say. Where one
/// event of a list cannot be read, none is queued.
#[utoipa::path(
    post, path = "/events", tag = "queue",
    request_body = EventsBody,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The caller's own name for this call",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    responses((status = 202, description = "Queued", body = Accepted)),
)]
pub(crate) async fn events(
    State(state): State<ApiState>,
    Extension(submissions): Extension<Submissions>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Authorized(caller): Authorized,
    key: CallKey,
    JsonText(text): JsonText,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Write)?;
    let body = text.clone();
    let events = state.workers().run(text.len(), move || read::events(&body)).await?;
    let owner = caller.client_id.clone();
    let work = async move { Ok(Answer::accepted(&submissions.events(events, &caller, &request_id).await?)?) };
    once(&state, key, Call { tenant: &owner, route: "POST /events", body: &text }, work).await
}

/// What became of a request
///
/// Needs the scope `performance:read`. Kept for seven days. Of requests that were queued; a calculation
/// that was answered at once says itself where its result is stored.
#[utoipa::path(
    get, path = "/requests/{request_id}", tag = "queue",
    params(
        ("request_id" = perf_core::model::Identifier, Path, description = "As the request was answered"),
        ("client_id" = Option<perf_core::model::Identifier>, Query, description = "Tenant, for administrators"),
    ),
    responses((status = 200, description = "Its status", body = StatusReport)),
)]
pub(crate) async fn status(
    Extension(queries): Extension<Queries>,
    Authorized(caller): Authorized,
    Path(request_id): Path<String>,
    mut parameters: Parameters,
) -> Result<Answer, Refusal> {
    caller.scopes.require(Scope::Read)?;
    let tenant = tenant(&caller, &mut parameters)?;
    parameters.finish()?;
    let request_id = super::name(&request_id, "there is no request of this name")?;
    Ok(Answer::ok(&queries.request(&tenant, &request_id).await?)?)
}
