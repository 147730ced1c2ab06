//! `POST /calculate`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use perf_core::model::{CalculationRequest, CalculationResult, Data, read};
use perf_core::services::{Accepted, Calculator, RequestText, Scope, Scopes, Submissions};

use crate::answer::Answer;
use crate::extract::{Authorized, JsonText};
use crate::idempotent::{Call, CallKey, once};
use crate::observe::RequestId;
use crate::openapi::CalculationBody;
use crate::refusal::{Refusal, Require};
use crate::state::ApiState;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: HeaderValue = HeaderValue::from_static("respond-async");

/// Calculate one portfolio, account or security
///
/// Needs the scope `performance:write` where the result is to be stored (`store`, the default), and
/// `performance:read` where it is not or where the data is the stored ledger. With the header
/// `Prefer: respond-async` the request is queued and answered with 202.
#[utoipa::path(
    post, path = "/calculate", tag = "calculations",
    request_body = CalculationBody,
    params(
        ("Prefer" = Option<String>, Header, description = "`respond-async` queues the request"),
        ("Idempotency-Key" = Option<String>, Header, description = "The caller's own name for this call",
         min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
    ),
    responses(
        (status = 200, description = "The result", body = CalculationResult),
        (status = 202, description = "The request is queued", body = Accepted),
    ),
)]
pub(crate) async fn calculate(
    State(state): State<ApiState>,
    Extension((calculator, submissions)): Extension<(Calculator, Submissions)>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Authorized(caller): Authorized,
    key: CallKey,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Result<Response, Refusal> {
    let body = text.clone();
    let request = state.workers().run(text.len(), move || read::calculation(&body)).await?;
    caller.tenant(request.client_id.as_ref())?;
    check_scopes(caller.scopes, &request)?;
    let is_async = prefers_async(&headers);
    let route = if is_async { "POST /calculate respond-async" } else { "POST /calculate" };
    let tenant = caller.client_id.clone();
    let text_of_request = RequestText::new(&text);
    let work = async move {
        if is_async {
            let accepted = submissions.calculations(vec![request], &caller, &request_id).await?;
            return Ok(Answer::accepted(&accepted)?);
        }
        let result = calculator.calculate(request, text_of_request, &caller, request_id.as_str());
        Ok(Answer::ok(&result.await?)?)
    };
    let answer = once(&state, key, Call { tenant: &tenant, route, body: &text }, work).await?;
    let mut response = answer.into_response();
    if is_async {
        response.headers_mut().insert(PREFERENCE_APPLIED, RESPOND_ASYNC);
    }
    Ok(response)
}

/// Whether the caller would rather ask for the result later (RFC 7240).
fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    preferences.any(|preference| {
        preference.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("respond-async"))
    })
}

fn check_scopes(scopes: Scopes, request: &CalculationRequest) -> Result<(), Refusal> {
    let reads = !request.store || request.data == Data::Ledger;
    for (needed, scope) in [(reads, Scope::Read), (request.store, Scope::Write)] {
        if needed {
            scopes.require(scope)?;
        }
    }
    Ok(())
}
