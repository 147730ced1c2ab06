//! The HTTP surface of the calculator: one [`axum`] router and the tokens that
//! open it, run by the Lambda binaries and by the local server.

mod answer;
pub mod auth;
#[cfg(feature = "lambda")]
pub mod authorizer;
mod extract;
#[cfg(feature = "lambda")]
pub mod gateway;
mod idempotent;
mod observe;
pub mod openapi;
mod parameters;
mod refusal;
mod router;
mod routes;
mod state;
#[cfg(feature = "viewer")]
mod viewer;

pub use router::{calculator_routes, router, store_routes};
pub use state::{ApiState, BODY_BYTES_MAX, Invocation, Surroundings};
