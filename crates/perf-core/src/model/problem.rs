use std::fmt;

use serde::Serialize;

/// Most field errors that one problem lists; `errors_omitted` counts the rest.
pub const MAX_LISTED_ERRORS: usize = 1_000;

/// One thing wrong with one place of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// Machine word.
    pub code: &'static str,
    /// What was expected.
    pub message: String,
}

/// A refusal as RFC 9457 `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// URI of the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short text, the same for every problem of the kind.
    pub title: &'static str,
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Machine word.
    pub code: &'static str,
    /// The request that was refused, where it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Everything wrong with the request, in document order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Errors beyond those listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors_omitted: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem without field errors; `code` also ends its `type`.
    #[must_use]
    pub fn new(status: u16, code: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            kind: format!("urn:investment-performance:problem:{code}"),
            title,
            status,
            detail,
            code,
            request_id: None,
            errors: Vec::new(),
            errors_omitted: None,
        }
    }

    /// 400: the text is not JSON.
    #[must_use]
    pub fn malformed(detail: String) -> Self {
        Self::new(400, "malformed_json", "The request is not well-formed JSON", detail)
    }

    /// 403: the caller may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "The caller may not do this", detail.into())
    }

    /// 404: there is no such thing, or it belongs to somebody else.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not_found", "There is no such resource", detail.into())
    }

    /// 409: at odds with what was asked before.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(409, code, "The request is at odds with an earlier one", detail.into())
    }

    /// 503: a part of the system cannot be reached; the same request may be sent again.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "The service cannot answer at the moment", detail.into())
    }

    /// 413: more than the caller may send.
    #[must_use]
    pub fn too_large(detail: String) -> Self {
        Self::new(413, "too_large", "The request is too large", detail)
    }

    /// 500: our fault; the detail is for our own eyes and must not reach a caller
    /// over a network.
    #[must_use]
    pub fn internal(detail: String) -> Self {
        Self::new(500, "internal_error", "The request could not be answered", detail)
    }

    /// 422: well-formed, but it cannot be calculated. One code among the errors
    /// becomes the problem's own; several become `invalid_request`.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let first = errors.first().map_or("invalid_request", |error| error.code);
        let code = if errors.iter().all(|error| error.code == first) { first } else { "invalid_request" };
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => only.message.clone(),
            [only] => format!("{}: {}", only.pointer, only.message),
            several => format!("{} places of the request need correction", several.len()),
        };
        let mut problem = Self::new(422, code, "The request cannot be calculated", detail);
        let omitted = errors.len().saturating_sub(MAX_LISTED_ERRORS);
        problem.errors_omitted = (omitted > 0).then_some(omitted);
        problem.errors = errors;
        problem.errors.truncate(MAX_LISTED_ERRORS);
        problem
    }

    /// 422 with a single field error.
    #[must_use]
    pub fn field(pointer: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.to_owned(), code, message: message.into() }])
    }

    /// The same problem under a request's name.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }
}
