//! The routes, and what happens where there is none.

use std::any::Any;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use perf_core::services::{Calculator, Queries, Submissions};
use tower_http::catch_panic::CatchPanicLayer;

use crate::observe::observe;
use crate::refusal::Refusal;
use crate::routes::{calculate, health, irr, openapi, performance, submissions};
use crate::state::{ApiState, BODY_BYTES_MAX};

/// `POST /calculate` and `POST /irr`.
pub fn calculator_routes(calculator: Calculator, submissions: Submissions) -> Router<ApiState> {
    Router::new()
        .route("/calculate", post(calculate::calculate))
        .route("/irr", post(irr::irr))
        .layer(Extension((calculator, submissions)))
}

/// The routes of the queue, of stored results and of the service itself; with the
/// feature `viewer`, `/docs` too.
pub fn store_routes(submissions: Submissions, queries: Queries) -> Router<ApiState> {
    let routes = Router::new()
        .route("/health", get(health::health))
        .route("/openapi.json", get(openapi::description))
        .route("/calculations", post(submissions::calculations))
        .route("/events", post(submissions::events))
        .route("/requests/{request_id}", get(submissions::status))
        .route("/performance/{entity_type}/{entity_id}", get(performance::of_entity))
        .route("/performance/{entity_type}/{entity_id}/series", get(performance::series))
        .route("/clients/{client_id}/performance", get(performance::of_client))
        .route("/accounts/{account_id}/performance", get(performance::of_account))
        .layer(Extension(submissions))
        .layer(Extension(queries));
    #[cfg(feature = "viewer")]
    let routes = routes.merge(crate::viewer::routes());
    routes
}

/// The HTTP surface: some or all of the routes within what every request goes through.
///
/// Every answer carries `x-request-id`; every refusal is a problem (RFC 9457).
/// All routes need a caller, except `/health` and `/docs`.
pub fn router(routes: Router<ApiState>, state: ApiState) -> Router {
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
