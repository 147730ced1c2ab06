//! One module for each route.

pub(crate) mod calculate;
pub(crate) mod health;
pub(crate) mod irr;
pub(crate) mod openapi;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use perf_core::model::Problem;
use serde::Serialize;

use crate::refusal::Refusal;

/// 200 with a JSON document.
fn json(document: &impl Serialize) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(document).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
