//! `GET /openapi.json`.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::extract::Authorized;
use crate::openapi;

/// This description
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "The API's description", body = serde_json::Value)),
)]
pub(crate) async fn description(_: Authorized) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], openapi::json())
}
