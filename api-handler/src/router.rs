//! The routes, and what happens where there is none.

use std::any::Any;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::observe::observe;
use crate::refusal::Refusal;
use crate::routes::{calculate, health, irr, openapi, performance, submissions};
use crate::state::{ApiState, BODY_BYTES_MAX};

/// The HTTP surface.
///
/// Every answer carries `x-request-id`; every refusal is a problem (RFC 9457).
/// All routes need a caller, except `/health` and, with the feature `viewer`, `/docs`.
pub fn router(state: ApiState) -> Router {
    surrounded(routes(), state)
}

fn routes() -> Router<ApiState> {
    let routes = Router::new()
        .route("/health", get(health::health))
        .route("/openapi.json", get(openapi::description))
        .route("/calculate", post(calculate::calculate))
        .route("/irr", post(irr::irr))
        .route("/calculations", post(submissions::calculations))
        .route("/events", post(submissions::events))
        .route("/requests/{request_id}", get(submissions::status))
        .route("/performance/{entity_type}/{entity_id}", get(performance::of_entity))
        .route("/performance/{entity_type}/{entity_id}/series", get(performance::series))
        .route("/clients/{client_id}/performance", get(performance::of_client))
        .route("/accounts/{account_id}/performance", get(performance::of_account));
    #[cfg(feature = "viewer")]
    let routes = routes.merge(crate::viewer::routes());
    routes
}

/// The routes within what every request goes through.
fn surrounded(routes: Router<ApiState>, state: ApiState) -> Router {
    routes
        .fallback(async || Refusal::no_route())
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), observe))
        .with_state(state)
}

// The payload is not looked at: it may hold what a client has sent.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("handler panicked");
    Refusal::panicked().into_response()
}

#[cfg(test)]
mod tests;
