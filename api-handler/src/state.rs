//! What the handlers share, built once.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;
use perf_core::ports::{Clock, Idempotency, Ids};
use perf_core::services::{Calculator, Caller, Queries, Submissions, Workers};

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
}

/// The use cases behind the routes.
#[derive(Clone)]
pub struct Services {
    /// Calculations that are answered at once.
    pub calculator: Calculator,
    /// Work for the queue.
    pub submissions: Submissions,
    /// What is stored.
    pub queries: Queries,
    /// Remembers calls that carry an `Idempotency-Key`.
    pub idempotency: Arc<dyn Idempotency>,
    /// Where large bodies are read.
    pub workers: Workers,
}

/// The router's state; a clone shares it.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    surroundings: Surroundings,
    services: Services,
}

impl ApiState {
    /// The state of a router.
    #[must_use]
    pub fn new(surroundings: Surroundings, services: Services) -> Self {
        Self(Arc::new(Shared { surroundings, services }))
    }

    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.surroundings.clock
    }

    pub(crate) fn new_request_id(&self) -> String {
        self.0.surroundings.ids.new_id()
    }

    pub(crate) fn authenticate(&self, request: &Parts) -> Result<Caller, Denied> {
        self.0.surroundings.authenticator.authenticate(request, self.clock().now().timestamp())
    }
}

/// Nothing of a client's data.
impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}
