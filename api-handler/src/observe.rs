//! What surrounds every request: its id, its span, one line in the log.

use std::fmt::Write as _;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use perf_core::model::Identifier;
use sha2::{Digest, Sha256};
use tracing::field::Empty;
use tracing::{Instrument, Span, error, info, info_span};

use crate::refusal;
use crate::state::ApiState;

/// Tells a caller the id of its request.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of a tenant's hash in the log: enough to tell tenants apart.
const TENANT_HASH_BYTES: usize = 6;

/// The id of a request, for its handler.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Identifier);

/// Names the request, runs it in a span and logs how it ended. Bodies, tokens,
/// query strings and figures are never logged, tenants only by their hash.
pub(crate) async fn observe(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let request_id = state.new_request_id();
    // Whoever names requests makes names; without one there is nothing to answer with.
    let Ok(name) = request_id.parse() else {
        error!("a request id is no identifier");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = info_span!("request", %request_id, method = %request.method(), route, tenant = Empty);
    request.extensions_mut().insert(RequestId(name));
    let started_at = Instant::now();
    async {
        let mut response = next.run(request).await;
        let code = refusal::render(&mut response, &request_id);
        let milliseconds = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(status = response.status().as_u16(), code, milliseconds, "request answered");
        set_headers(&mut response, &request_id);
        response
    }
    .instrument(span)
    .await
}

fn set_headers(response: &mut Response, request_id: &str) {
    let headers = response.headers_mut();
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID, request_id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Puts the tenant's hash on the current request's span.
pub(crate) fn record_tenant(tenant: &Identifier) {
    let digest = Sha256::digest(tenant.as_str());
    let hash = digest.iter().take(TENANT_HASH_BYTES).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    Span::current().record("tenant", hash);
}
