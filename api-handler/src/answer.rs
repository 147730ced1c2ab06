//! Answers that can be kept and given again.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use perf_core::model::Problem;
use perf_core::ports::SavedResponse;
use serde::Serialize;

/// Says that an answer was given before.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A JSON document and its status.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: String,
    is_replayed: bool,
}

impl Answer {
    /// An answer that holds a document.
    pub(crate) fn new(status: StatusCode, document: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(document).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self { status, body, is_replayed: false })
    }

    /// 200.
    pub(crate) fn ok(document: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::OK, document)
    }

    /// 202: it will be done.
    pub(crate) fn accepted(document: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::ACCEPTED, document)
    }

    pub(crate) fn to_saved(&self) -> SavedResponse {
        SavedResponse { status: self.status.as_u16(), body: self.body.clone() }
    }

    pub(crate) fn replayed(saved: SavedResponse) -> Result<Self, Problem> {
        let status = StatusCode::from_u16(saved.status);
        let status = status.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self { status, body: saved.body, is_replayed: true })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(CONTENT_TYPE, "application/json")], self.body).into_response();
        if self.is_replayed {
            response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
