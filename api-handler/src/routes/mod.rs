//! One module for each family of routes.

pub(crate) mod calculate;
pub(crate) mod health;
pub(crate) mod irr;
pub(crate) mod openapi;
pub(crate) mod performance;
pub(crate) mod submissions;

use perf_core::model::{Identifier, Problem};
use perf_core::services::Caller;

use crate::parameters::Parameters;

/// The tenant of a query: the caller's own, or the one that an administrator names.
fn tenant(caller: &Caller, parameters: &mut Parameters) -> Result<Identifier, Problem> {
    caller.tenant(parameters.client_id().as_ref())
}

/// A name in a path; a text that is none names nothing.
fn name(text: &str, missing: &str) -> Result<Identifier, Problem> {
    text.parse().map_err(|_| Problem::not_found(missing))
}
