//! `GET /docs`: the description to read and to try out, in a browser.
//!
//! Swagger UI comes with the program and loads nothing from elsewhere. The page
//! cannot send a token before its reader has given one, so it and its copy of the
//! description are served without.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::middleware::map_response;
use axum::response::Response;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::openapi;
use crate::state::ApiState;

/// Nothing from elsewhere, nothing inside another page.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The viewer's routes.
pub(crate) fn routes() -> Router<ApiState> {
    let config = Config::new(["/docs/openapi.json"]).validator_url("none").persist_authorization(false);
    let viewer = SwaggerUi::new("/docs").url("/docs/openapi.json", openapi::document()).config(config);
    Router::from(viewer).layer(map_response(async |mut response: Response| {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }))
}
