//! Every service on one SQLite file in memory.

#![allow(dead_code, reason = "each test program uses a part")]

use std::num::NonZeroUsize;
use std::sync::Arc;

use perf_core::model::{EntityKey, EntityType, Identifier};
use perf_core::number::Exact;
use perf_core::ports::{QueueSender, TimeSeriesWriter};
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, ClaimCheck, ClaimPorts, ImportPorts, Processor,
    ProcessorPorts, Queries, QueryPorts, Record, RecordOutcome, SubmissionPorts, Submissions, Workers,
};
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use perf_local::worker::Worker;
use serde_json::Value;

const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");
const MAX_RECEIVES: u32 = 3;
pub const INPUT: &str = "input";
pub const CLAIMS: &str = "claims";

pub struct System {
    pub store: Arc<SqliteStore>,
    pub queries: Queries,
    pub calculator: Calculator,
    pub submissions: Submissions,
    pub worker: Worker,
    processor: Processor,
}

pub fn name(text: &str) -> Identifier {
    text.parse().expect("a name")
}

pub fn entity(client: &str, entity: &str) -> EntityKey {
    EntityKey { client_id: name(client), entity_type: EntityType::Portfolio, entity_id: name(entity) }
}

impl System {
    pub fn new() -> Self {
        let clock = Arc::new(SystemClock);
        let settings = QueueSettings { max_receives: MAX_RECEIVES, ..QueueSettings::default() };
        let store = Arc::new(SqliteStore::in_memory(clock.clone(), settings).expect("a store"));
        let ports = ProcessorPorts {
            ledger: store.clone(),
            ledger_writer: store.clone(),
            results: store.clone(),
            writer: store.clone(),
            requests: store.clone(),
            queue: store.clone(),
            clock: clock.clone(),
        };
        let input = Arc::new(store.bucket(INPUT));
        let imports = ImportPorts { bucket: INPUT.to_owned(), reader: input.clone(), writer: input };
        let claims = ClaimPorts { bucket: CLAIMS.to_owned(), reader: Arc::new(store.bucket(CLAIMS)) };
        let processor = Processor::new(ports, Exact::ZERO, CONCURRENCY, MAX_RECEIVES)
            .with_imports(imports)
            .with_claims(claims);
        let calculator_ports =
            CalculatorPorts { ledger: store.clone(), queue: store.clone(), clock: clock.clone() };
        let submission_ports =
            SubmissionPorts { queue: store.clone(), requests: store.clone(), clock: clock.clone() };
        let query_ports =
            QueryPorts { results: store.clone(), current: store.clone(), requests: store.clone(), clock };
        let settings = CalculatorSettings { risk_free_rate: Exact::ZERO, cache_ttl_seconds: 300 };
        Self {
            queries: Queries::new(query_ports),
            calculator: Calculator::new(calculator_ports, settings, Workers::new(CONCURRENCY)),
            submissions: Submissions::new(submission_ports),
            worker: Worker::new(store.clone(), processor.clone()),
            processor,
            store,
        }
    }

    /// A sender of messages of any size.
    pub fn sender(&self) -> ClaimCheck {
        ClaimCheck::new(self.store.clone(), Arc::new(self.store.bucket(CLAIMS)), CLAIMS.to_owned())
    }

    /// Writes time series too.
    pub fn with_time_series(mut self, writer: Arc<dyn TimeSeriesWriter>) -> Self {
        self.processor = self.processor.with_time_series(writer);
        self.worker = Worker::new(self.store.clone(), self.processor.clone());
        self
    }

    /// Hands events to the processor as one batch.
    pub async fn process(&self, events: &[Value]) -> Vec<RecordOutcome> {
        let record = |(index, event): (usize, &Value)| Record {
            message_id: format!("m{index}"),
            body: event.to_string(),
            receive_count: 1,
        };
        let records = events.iter().enumerate().map(record).collect();
        self.processor.process(records).await.into_iter().map(|result| result.outcome).collect()
    }

    /// Puts an event on the queue.
    pub async fn send(&self, event: &Value) {
        self.store.send(&[event.to_string()]).await.expect("sent");
    }
}
