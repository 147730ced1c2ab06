//! What surrounds every request: its id, its span, one line in the log.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use perf_core::MEASURES;
use perf_core::model::Identifier;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tracing::field::Empty;
use tracing::{Instrument, Span, error, info, info_span, trace};

use crate::refusal::{self, Refusal};
use crate::state::{ApiState, Invocation};

/// Tells a caller the id of its request.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What is left for the refusal of a request that takes too long.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);
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
    let method = request.method().clone();
    let span = info_span!("request", %request_id, gateway_request_id = Empty, %method, route, tenant = Empty);
    let Invocation { gateway_request_id, deadline } = state.invocation(request.extensions());
    span.record("gateway_request_id", gateway_request_id);
    let route = route.to_owned();
    request.extensions_mut().insert(RequestId(name));
    let started_at = Instant::now();
    async {
        let mut response = until(deadline, next.run(request)).await;
        let code = refusal::render(&mut response, &request_id);
        let milliseconds = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = response.status();
        info!(status = status.as_u16(), code, milliseconds, "request answered");
        let (client_errors, server_errors) = (status.is_client_error(), status.is_server_error());
        trace!(
            target: MEASURES,
            route,
            requests = 1_u64,
            client_errors = u64::from(client_errors),
            server_errors = u64::from(server_errors),
            request_ms = milliseconds
        );
        set_headers(&mut response, &request_id);
        response
    }
    .instrument(span)
    .await
}

/// The answer, or a refusal while there is time for one: a call that is repeated
/// near the deadline would cost the caller even that.
async fn until(deadline: Option<SystemTime>, answer: impl Future<Output = Response>) -> Response {
    // A deadline in the past is that of a local runtime, which says 1970.
    let left = deadline.and_then(|deadline| deadline.duration_since(SystemTime::now()).ok());
    match left {
        None => answer.await,
        Some(left) => match timeout(left.saturating_sub(ANSWER_MARGIN), answer).await {
            Ok(response) => response,
            Err(_) => Refusal::out_of_time().into_response(),
        },
    }
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
