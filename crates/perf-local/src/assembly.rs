//! The services of the one-machine edition over one store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use perf_core::number::Exact;
use perf_core::ports::QueueSender;
use perf_core::services::{ClaimCheck, ClaimPorts, ImportPorts, Processor, ProcessorPorts};

use crate::store::{QueueSettings, SqliteStore};
use crate::system::SystemClock;

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
