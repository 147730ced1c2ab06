//! What the handlers share, built once.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::http::request::Parts;
use chrono::{DateTime, SecondsFormat, Utc};
use perf_core::calculations::Stamp;
use perf_core::model::Identifier;
use perf_core::number::Exact;

use crate::answers::Answers;
use crate::auth::{Authenticate, Caller, Denied};
use crate::workers::Workers;

/// Longest request body (4 MiB).
pub const BODY_BYTES_MAX: usize = 4 << 20;

/// What the router takes from its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// Finds out who is calling.
    pub authenticator: Arc<dyn Authenticate>,
    /// Tells the time.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// Makes a name for each request.
    pub new_request_id: Arc<dyn Fn() -> String + Send + Sync>,
}

/// What a deployment decides.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Annual; for requests that give none.
    pub risk_free_rate: Exact,
    /// How long answers stay in memory; 0 turns caching off.
    pub cache_ttl_seconds: u64,
    /// Large calculations at the same time.
    pub workers: NonZeroUsize,
}

/// The router's state; a clone shares it.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    surroundings: Surroundings,
    risk_free_rate: Exact,
    answers: Answers,
    workers: Workers,
}

impl ApiState {
    /// The state of a router.
    #[must_use]
    pub fn new(surroundings: Surroundings, settings: ApiSettings) -> Self {
        Self(Arc::new(Shared {
            surroundings,
            risk_free_rate: settings.risk_free_rate,
            answers: Answers::new(settings.cache_ttl_seconds),
            workers: Workers::new(settings.workers),
        }))
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    pub(crate) fn workers(&self) -> &Workers {
        &self.0.workers
    }

    pub(crate) fn request_id(&self) -> String {
        (self.0.surroundings.new_request_id)()
    }

    fn now(&self) -> DateTime<Utc> {
        (self.0.surroundings.now)()
    }

    pub(crate) fn authenticate(&self, request: &Parts) -> Result<Caller, Denied> {
        self.0.surroundings.authenticator.authenticate(request, self.now().timestamp())
    }

    pub(crate) fn stamp(&self, request_id: String, client_id: Identifier) -> Stamp {
        Stamp {
            request_id,
            client_id,
            calculated_at: self.now().to_rfc3339_opts(SecondsFormat::Millis, true),
            risk_free_rate: self.0.risk_free_rate.clone(),
        }
    }
}

/// Nothing of a client's data.
impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").field("answers", &self.0.answers).finish_non_exhaustive()
    }
}
