//! The services of the one-machine edition over one store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use api_handler::auth::Authenticate;
use api_handler::{ApiState, Invocation, Surroundings, calculator_routes, router, store_routes};
use axum::Router;
use axum::http::Extensions;
use perf_core::number::Exact;
use perf_core::ports::QueueSender;
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, ClaimCheck, ClaimPorts, ImportPorts, Processor,
    ProcessorPorts, Queries, QueryPorts, SubmissionPorts, Submissions, Workers,
};

use crate::store::{QueueSettings, SqliteStore};
use crate::system::{RandomIds, SystemClock};

/// Bucket that files are imported from.
pub const INPUT_BUCKET: &str = "input";
/// Bucket of messages that are too large for the queue.
pub const CLAIM_BUCKET: &str = "claims";

/// A sender of messages of any size.
#[must_use]
pub fn sender(store: &Arc<SqliteStore>) -> Arc<dyn QueueSender> {
    let claims = Arc::new(store.bucket(CLAIM_BUCKET));
    let queue = Arc::<SqliteStore>::clone(store);
    Arc::new(ClaimCheck::new(queue, claims, CLAIM_BUCKET.to_owned()))
}

/// The HTTP routes over the store, with at most `max_concurrency` large calculations
/// at a time.
pub fn http(
    store: &Arc<SqliteStore>,
    authenticator: Arc<dyn Authenticate>,
    settings: CalculatorSettings,
    max_concurrency: NonZeroUsize,
) -> Router {
    let (clock, queue, workers) = (Arc::new(SystemClock), sender(store), Workers::new(max_concurrency));
    let calculator = CalculatorPorts {
        ledger: Arc::<SqliteStore>::clone(store),
        queue: Arc::clone(&queue),
        clock: Arc::<SystemClock>::clone(&clock),
    };
    let submissions = SubmissionPorts {
        queue,
        requests: Arc::<SqliteStore>::clone(store),
        clock: Arc::<SystemClock>::clone(&clock),
    };
    let queries = QueryPorts {
        results: Arc::<SqliteStore>::clone(store),
        current: Arc::<SqliteStore>::clone(store),
        requests: Arc::<SqliteStore>::clone(store),
        clock: Arc::<SystemClock>::clone(&clock),
    };
    let calculator = Calculator::new(calculator, settings, workers.clone());
    let submissions = Submissions::new(submissions);
    let routes = calculator_routes(calculator, submissions.clone())
        .merge(store_routes(submissions, Queries::new(queries)));
    let idempotency = Arc::<SqliteStore>::clone(store);
    let (ids, invocation) = (Arc::new(RandomIds), |_: &Extensions| Invocation::default());
    let state = ApiState::new(Surroundings { authenticator, clock, ids, idempotency, workers, invocation });
    router(routes, state)
}

/// A processor of every kind of message; the rate is for requests that state none.
#[must_use]
pub fn processor(
    store: &Arc<SqliteStore>,
    risk_free_rate: Exact,
    max_concurrency: NonZeroUsize,
) -> Processor {
    let ports = ProcessorPorts {
        ledger: Arc::<SqliteStore>::clone(store),
        ledger_writer: Arc::<SqliteStore>::clone(store),
        results: Arc::<SqliteStore>::clone(store),
        writer: Arc::<SqliteStore>::clone(store),
        requests: Arc::<SqliteStore>::clone(store),
        queue: sender(store),
        clock: Arc::new(SystemClock),
    };
    let input = Arc::new(store.bucket(INPUT_BUCKET));
    let imports = ImportPorts {
        bucket: INPUT_BUCKET.to_owned(),
        reader: Arc::<crate::store::Bucket>::clone(&input),
        writer: input,
    };
    let claims = ClaimPorts { bucket: CLAIM_BUCKET.to_owned(), reader: Arc::new(store.bucket(CLAIM_BUCKET)) };
    Processor::new(ports, risk_free_rate, max_concurrency, QueueSettings::default().max_receives)
        .with_imports(imports)
        .with_claims(claims)
}
