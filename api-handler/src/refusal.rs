//! Answers that are problems: `application/problem+json` (RFC 9457).

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use perf_core::model::Problem;
use perf_core::services::{Scope, Scopes};
use tracing::{error, info};

use crate::auth::{Denied, TokenError};

/// What every challenge starts with (RFC 6750).
const CHALLENGE: &str = r#"Bearer realm="performance""#;
/// When a request that could not be answered may be sent again.
const RETRY_AFTER_SECONDS: u16 = 1;
/// The only text of an error of ours that a caller sees.
const INTERNAL: &str = "an internal error; quote the request_id when you report it";

/// A refused request. What it says is rendered where the request's id is known.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: Problem,
    challenge: Option<HeaderValue>,
}

/// The problem that a response without a body stands for.
#[derive(Clone)]
struct Pending(Problem);

impl Refusal {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: &str) -> Self {
        Problem::new(status.as_u16(), code, title, detail.to_owned()).into()
    }

    fn challenged(mut self, parameters: &str) -> Self {
        self.challenge = HeaderValue::try_from(format!("{CHALLENGE}{parameters}")).ok();
        self
    }

    /// 403: the token does not grant what the request needs.
    fn scope(needed: Scope) -> Self {
        let scope = needed.word();
        let detail = format!("the token's scope does not contain {scope}");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", "The caller may not do this", &detail)
            .challenged(&format!(r#", error="insufficient_scope", scope="{scope}""#))
    }

    /// 404: no such route.
    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such resource", "no such route")
    }

    /// 405: the route answers other methods; the router says which in `Allow`.
    pub(crate) fn method() -> Self {
        let detail = "the Allow header lists the methods of this route";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "The route does not answer this method",
            detail,
        )
    }

    /// 415: the body is not what is read here.
    pub(crate) fn media_type(detail: &str) -> Self {
        let title = "The body is not plain JSON";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title, detail)
    }

    /// 400: the header `Idempotency-Key` names nothing.
    pub(crate) fn idempotency_key() -> Self {
        let title = "The request cannot be read";
        let detail = "expected one header Idempotency-Key of 1 to 255 visible ASCII characters";
        Self::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", title, detail)
    }

    /// 400: the body broke off.
    pub(crate) fn incomplete_body() -> Self {
        let title = "The request cannot be read";
        Self::new(StatusCode::BAD_REQUEST, "incomplete_body", title, "the body broke off before its end")
    }

    /// 503: there is an answer, but not in time.
    pub(crate) fn out_of_time() -> Self {
        let title = "The request cannot be answered now";
        let detail = "the answer takes too long; send the same request again, or with Prefer: respond-async";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "out_of_time", title, detail)
    }

    /// 500, for what panicked.
    pub(crate) fn panicked() -> Self {
        Problem::internal(INTERNAL.to_owned()).into()
    }

    /// For an error that the framework made without a problem.
    fn of_status(status: StatusCode) -> Self {
        if status.is_server_error() {
            return Self::panicked();
        }
        let title = status.canonical_reason().unwrap_or("The request is refused");
        Self::new(status, "refused", title, "the request cannot be answered")
    }
}

impl From<Problem> for Refusal {
    /// What is wrong on our side is logged and not told.
    fn from(mut problem: Problem) -> Self {
        if problem.status == 500 && problem.detail != INTERNAL {
            error!(code = problem.code, detail = problem.detail, "internal error");
            INTERNAL.clone_into(&mut problem.detail);
        }
        Self { problem, challenge: None }
    }
}

/// Refuses where a scope is missing.
pub(crate) trait Require {
    fn require(self, scope: Scope) -> Result<(), Refusal>;
}

impl Require for Scopes {
    fn require(self, scope: Scope) -> Result<(), Refusal> {
        if self.allow(scope) { Ok(()) } else { Err(Refusal::scope(scope)) }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        info!(reason = %denied, "caller refused");
        let (detail, parameters) = match denied {
            Denied::NoToken => ("send a token as: Authorization: Bearer <token>", ""),
            Denied::Token(TokenError::Expired) => (
                "the token has expired",
                r#", error="invalid_token", error_description="the token has expired""#,
            ),
            Denied::Token(_) => ("the token is not valid here", r#", error="invalid_token""#),
        };
        let title = "The caller is not known";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail).challenged(parameters)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Pending(self.problem));
        response
    }
}

/// Gives a refusal its body; every other error of the framework becomes one.
/// Returns the problem's code.
pub(crate) fn render(response: &mut Response, request_id: &str) -> Option<&'static str> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let pending = response.extensions_mut().remove::<Pending>();
    let problem = pending.map_or_else(|| Refusal::of_status(status).problem, |pending| pending.0);
    let code = problem.code;
    let body = serde_json::to_vec(&problem.with_request_id(request_id)).unwrap_or_default();
    let allow = response.headers().get(ALLOW).cloned();
    let challenge = response.headers().get(WWW_AUTHENTICATE).cloned();
    let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then(|| RETRY_AFTER_SECONDS.into());
    *response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
    for (name, value) in [(ALLOW, allow), (WWW_AUTHENTICATE, challenge), (RETRY_AFTER, retry_after)] {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    Some(code)
}
