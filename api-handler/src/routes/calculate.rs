//! `POST /calculate`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use perf_core::calculations;
use perf_core::model::{CalculationRequest, CalculationResult, Data, read};

use super::json;
use crate::answers::{Key, cached};
use crate::auth::{Scope, Scopes};
use crate::extract::{Authorized, JsonText};
use crate::observe::RequestId;
use crate::openapi::CalculationBody;
use crate::refusal::Refusal;
use crate::state::ApiState;

/// Calculate one portfolio, account or security
///
/// Needs the scope `performance:write` where the result is to be stored (`store`, the default), and
/// `performance:read` where it is not or where the data is the stored ledger.
#[utoipa::path(
    post, path = "/calculate", tag = "calculations",
    request_body = CalculationBody,
    responses((status = 200, description = "The result", body = CalculationResult)),
)]
pub(crate) async fn calculate(
    State(state): State<ApiState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Authorized(caller): Authorized,
    JsonText(text): JsonText,
) -> Result<Response, Refusal> {
    let (workers, bytes) = (state.workers(), text.len());
    let body = text.clone();
    let request = workers.run(bytes, move || read::calculation(&body)).await?;
    let tenant = caller.tenant(request.client_id.as_ref())?;
    check_scopes(caller.scopes, &request)?;
    let stamp = state.stamp(request_id.clone(), tenant.clone());
    let compute = || workers.run(bytes, move || calculations::calculate(&request, &stamp).map(Arc::new));
    let key = Key::new(tenant, &text);
    let (result, was_cached) = cached(&state.answers().calculations, key, compute).await?;
    if !was_cached {
        return json(result.as_ref());
    }
    json(&CalculationResult { request_id, cached: true, ..Arc::unwrap_or_clone(result) })
}

fn check_scopes(scopes: Scopes, request: &CalculationRequest) -> Result<(), Refusal> {
    let reads = !request.store || request.data == Data::Ledger;
    for (needed, scope) in [(reads, Scope::Read), (request.store, Scope::Write)] {
        if needed && !scopes.allow(scope) {
            return Err(Refusal::scope(scope));
        }
    }
    Ok(())
}
