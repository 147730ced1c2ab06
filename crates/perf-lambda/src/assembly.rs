//! The use cases over AWS, each of what its function is permitted to reach.

use std::num::NonZeroUsize;
use std::sync::Arc;

use perf_aws::{Bucket, Clients, LedgerTable, Queue, ResultsTable, StateTable, TimestreamTable};
use perf_core::config::{MissingSetting, Settings, TimeSeriesStore};
use perf_core::ports::{Idempotency, QueueSender};
use perf_core::services::{
    Calculator, CalculatorPorts, CalculatorSettings, ClaimCheck, ClaimPorts, ImportPorts, Processor,
    ProcessorPorts, Queries, QueryPorts, SubmissionPorts, Submissions, Workers,
};

use crate::system::SystemClock;

/// How often the queue delivers a message before it gives it up: `maxReceiveCount`
/// of the event queue in template.yaml.
pub const MESSAGE_RECEIVES_MAX: u32 = 5;

/// Makes the use cases from the settings. Each makes its own demands of them: a
/// function has the settings of what it is permitted to use.
#[derive(Debug)]
pub struct Adapters {
    settings: Settings,
    clients: Clients,
}

type Made<T> = Result<T, MissingSetting>;

impl Adapters {
    /// Clients are made when they are first used.
    pub async fn load(settings: Settings) -> Self {
        Self { settings, clients: Clients::load().await }
    }

    fn state(&self) -> Made<Arc<StateTable>> {
        let name = self.settings.state_table.require()?;
        Ok(Arc::new(StateTable::new(self.clients.dynamodb(), name.clone())))
    }

    fn ledger(&self) -> Made<Arc<LedgerTable>> {
        let name = self.settings.ledger_table.require()?;
        Ok(Arc::new(LedgerTable::new(self.clients.dynamodb(), name.clone())))
    }

    fn results(&self) -> Made<Arc<ResultsTable>> {
        let name = self.settings.dynamodb_table.require()?;
        Ok(Arc::new(ResultsTable::new(self.clients.dynamodb(), name.clone())))
    }

    fn bucket(&self, name: &str) -> Arc<Bucket> {
        Arc::new(Bucket::new(self.clients.s3(), name.to_owned()))
    }

    /// A sender of messages of any size.
    fn sender(&self) -> Made<Arc<dyn QueueSender>> {
        let url = self.settings.sqs_queue_url.require()?;
        let bucket = self.settings.claim_bucket.require()?;
        let queue = Arc::new(Queue::new(self.clients.sqs(), url.clone()));
        Ok(Arc::new(ClaimCheck::new(queue, self.bucket(bucket), bucket.clone())))
    }

    /// Calculations that are answered at once.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`].
    pub fn calculator(&self) -> Made<Calculator> {
        let ports =
            CalculatorPorts { ledger: self.ledger()?, queue: self.sender()?, clock: Arc::new(SystemClock) };
        let settings = CalculatorSettings {
            risk_free_rate: self.settings.risk_free_rate.into(),
            cache_ttl_seconds: self.settings.cache_ttl_seconds,
        };
        Ok(Calculator::new(ports, settings, self.workers()))
    }

    /// Work for the queue.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`].
    pub fn submissions(&self) -> Made<Submissions> {
        let ports =
            SubmissionPorts { queue: self.sender()?, requests: self.state()?, clock: Arc::new(SystemClock) };
        Ok(Submissions::new(ports))
    }

    /// What is stored.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`].
    pub fn queries(&self) -> Made<Queries> {
        let results = self.results()?;
        let ports = QueryPorts {
            results: Arc::<ResultsTable>::clone(&results),
            current: results,
            requests: self.state()?,
            clock: Arc::new(SystemClock),
        };
        Ok(Queries::new(ports))
    }

    /// Memory of calls that carry an `Idempotency-Key`.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`].
    pub fn idempotency(&self) -> Made<Arc<dyn Idempotency>> {
        Ok(self.state()?)
    }

    /// One large calculation at a time: an environment has one request at a time.
    #[must_use]
    pub fn workers(&self) -> Workers {
        Workers::new(NonZeroUsize::MIN)
    }

    /// A processor of every kind of message.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`].
    pub fn processor(&self) -> Made<Processor> {
        let settings = &self.settings;
        let (ledger, results) = (self.ledger()?, self.results()?);
        let ports = ProcessorPorts {
            ledger: Arc::<LedgerTable>::clone(&ledger),
            ledger_writer: ledger,
            results: Arc::<ResultsTable>::clone(&results),
            writer: results,
            requests: self.state()?,
            queue: self.sender()?,
            clock: Arc::new(SystemClock),
        };
        let rate = settings.risk_free_rate.into();
        let processor = Processor::new(ports, rate, settings.max_concurrency, MESSAGE_RECEIVES_MAX)
            .with_imports(self.imports()?)
            .with_claims(self.claims()?);
        match settings.time_series_store {
            TimeSeriesStore::Dynamodb => Ok(processor),
            TimeSeriesStore::Timestream => Ok(processor.with_time_series(self.timestream()?)),
        }
    }

    fn imports(&self) -> Made<ImportPorts> {
        let name = self.settings.input_bucket.require()?;
        let bucket = self.bucket(name);
        Ok(ImportPorts { bucket: name.clone(), reader: Arc::<Bucket>::clone(&bucket), writer: bucket })
    }

    fn claims(&self) -> Made<ClaimPorts> {
        let name = self.settings.claim_bucket.require()?;
        Ok(ClaimPorts { bucket: name.clone(), reader: self.bucket(name) })
    }

    /// Connected at its first write.
    fn timestream(&self) -> Made<Arc<TimestreamTable>> {
        let database = self.settings.timestream_database.require()?;
        let table = self.settings.timestream_table.require()?;
        Ok(Arc::new(TimestreamTable::new(self.clients.clone(), database.clone(), table.clone())))
    }
}
