//! What the handlers share, built once.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::Extensions;
use axum::http::request::Parts;
use perf_core::ports::{Clock, Idempotency, Ids};
use perf_core::services::{Caller, Workers};

use crate::auth::{Authenticate, Denied};

/// Longest request body (4 MiB).
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// What the router takes from its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// Finds out who is calling.
    pub authenticator: Arc<dyn Authenticate>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes a name for each request.
    pub ids: Arc<dyn Ids>,
    /// Remembers calls that carry an `Idempotency-Key`.
    pub idempotency: Arc<dyn Idempotency>,
    /// Where large bodies are read.
    pub workers: Workers,
    /// What is known of the call that brought a request.
    pub invocation: fn(&Extensions) -> Invocation,
}

/// The call that brought a request, as far as whoever brought it tells.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// Its name there: what the gateway's own log calls it.
    pub gateway_request_id: Option<String>,
    /// When there must be an answer.
    pub deadline: Option<SystemTime>,
}

/// The router's state; a clone shares it.
#[derive(Clone)]
pub struct ApiState(Arc<Surroundings>);

impl ApiState {
    /// The state of a router.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        Self(Arc::new(surroundings))
    }

    /// The same state, in invocations such as these.
    #[cfg(test)]
    pub(crate) fn invoked(&self, invocation: fn(&Extensions) -> Invocation) -> Self {
        Self::new(Surroundings { invocation, ..Surroundings::clone(&self.0) })
    }

    pub(crate) fn idempotency(&self) -> &dyn Idempotency {
        &*self.0.idempotency
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.0.workers
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn new_request_id(&self) -> String {
        self.0.ids.new_id()
    }

    pub(crate) fn invocation(&self, request: &Extensions) -> Invocation {
        (self.0.invocation)(request)
    }

    pub(crate) fn authenticate(&self, request: &Parts) -> Result<Caller, Denied> {
        self.0.authenticator.authenticate(request, self.clock().now().timestamp())
    }
}

/// Nothing of a client's data.
impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}
