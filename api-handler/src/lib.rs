//! The HTTP surface of the calculator: one [`axum`] router and the tokens that
//! open it, run by the Lambda binaries and by the local server.

mod answers;
pub mod auth;
mod extract;
mod observe;
pub mod openapi;
mod refusal;
mod router;
mod routes;
mod state;
#[cfg(feature = "viewer")]
mod viewer;
mod workers;

pub use router::router;
pub use state::{ApiSettings, ApiState, BODY_BYTES_MAX, Surroundings};
