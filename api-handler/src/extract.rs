//! What handlers take from a request: its caller, then its body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use perf_core::model::Problem;
use perf_core::services::Caller;

use crate::observe::record_tenant;
use crate::refusal::Refusal;
use crate::state::{ApiState, BODY_BYTES_MAX};

/// The request's caller; without one it is refused before its body is read.
pub(crate) struct Authorized(pub(crate) Caller);

impl FromRequestParts<ApiState> for Authorized {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Refusal> {
        let caller = state.authenticate(parts)?;
        record_tenant(&caller.client_id);
        Ok(Self(caller))
    }
}

/// A body that says it is JSON, unread.
pub(crate) struct JsonText(pub(crate) Bytes);

impl FromRequest<ApiState> for JsonText {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Refusal> {
        check_headers(request.headers())?;
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let mebibytes = BODY_BYTES_MAX >> 20;
                Problem::too_large(format!("the body is longer than {mebibytes} MiB: split the request"))
                    .into()
            }
            _ => Refusal::incomplete_body(),
        })
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let essence = text(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::media_type("send the header Content-Type: application/json"));
    }
    match text(CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(_) => Err(Refusal::media_type("send the body without Content-Encoding")),
    }
}
