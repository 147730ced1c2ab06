//! Works on messages of the queue, each one on its own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::batch::{parts, refused, requests};
use super::claim::ClaimPorts;
use super::compute::{compute, stamp, supply};
use super::import::ImportPorts;
use super::ingest::{Change, ingest};
use super::message::{Message, message};
use super::plan::{Plan, Task, Unit, task};
use super::recalculate::{Failure, recalculate};
use super::rows::{result_url, rows};
use super::{problem_of, report, time_series};
use crate::MEASURES;
use crate::model::{
    BatchMembers, CalculationRequest, CompletedResult, EntityKey, Event, EventBody, Identifier,
    MAX_MEMBERS_PER_MESSAGE, Problem,
};
use crate::number::Exact;
use crate::parallel::process_each;
use crate::ports::{
    Clock, ItemOutcome, Itemized, LedgerReader, LedgerWriter, QueueSender, RequestLog, ResultReader,
    ResultWriter, TimeSeriesWriter,
};

/// What the processor needs.
#[derive(Clone)]
pub struct ProcessorPorts {
    /// Ledgers to calculate from.
    pub ledger: Arc<dyn LedgerReader>,
    /// Ledgers to change.
    pub ledger_writer: Arc<dyn LedgerWriter>,
    /// Current results.
    pub results: Arc<dyn ResultReader>,
    /// Takes results.
    pub writer: Arc<dyn ResultWriter>,
    /// Keeps the status of requests.
    pub requests: Arc<dyn RequestLog>,
    /// Takes the parts of large batches.
    pub queue: Arc<dyn QueueSender>,
    /// Dates results.
    pub clock: Arc<dyn Clock>,
}

/// A message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Name of the message.
    pub message_id: String,
    /// The text.
    pub body: String,
    /// How often it has been delivered, this time included.
    pub receive_count: u32,
}

/// How the work on a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordOutcome {
    /// The message is done with.
    Done,
    /// It may succeed when it is delivered again.
    Retry {
        /// For our own eyes.
        detail: String,
    },
    /// It will fail again: a matter for the dead letters.
    Permanent {
        /// Machine word.
        code: &'static str,
        /// What was wrong.
        detail: String,
    },
}

/// A message and how the work on it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordResult {
    /// Name of the message.
    pub message_id: String,
    /// How it ended.
    pub outcome: RecordOutcome,
}

/// The outcome of work that has not ended.
fn interrupted() -> RecordOutcome {
    RecordOutcome::Retry { detail: "interrupted".to_owned() }
}

/// How long the processor may be at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkTime {
    /// Nothing is begun from here on.
    pub begin_until: Instant,
    /// What has not ended by then is given up.
    pub end_until: Instant,
}

impl WorkTime {
    /// What the work comes to, if there is time for it.
    async fn bound<T>(time: Option<Self>, work: impl Future<Output = T>) -> Option<T> {
        let Some(time) = time else { return Some(work.await) };
        if Instant::now() >= time.begin_until {
            return None;
        }
        timeout_at(time.end_until, work).await.ok()
    }
}

/// Works on messages: the only writer of results.
#[derive(Clone)]
pub struct Processor {
    pub(super) ports: ProcessorPorts,
    pub(super) imports: Option<ImportPorts>,
    claims: Option<ClaimPorts>,
    time_series: Option<Arc<dyn TimeSeriesWriter>>,
    risk_free_rate: Exact,
    max_concurrency: NonZeroUsize,
    max_receives: u32,
}

/// The end of a task: what it did for its request's items.
pub(super) struct Ended {
    pub(super) task: Task,
    pub(super) outcome: Result<(), Problem>,
    pub(super) items: Vec<Itemized>,
}

impl Processor {
    /// A processor that works on `max_concurrency` entities at a time; a message
    /// delivered `max_receives` times is the queue's to give up.
    #[must_use]
    pub fn new(
        ports: ProcessorPorts,
        risk_free_rate: Exact,
        max_concurrency: NonZeroUsize,
        max_receives: u32,
    ) -> Self {
        let (imports, claims, time_series) = (None, None, None);
        Self { ports, imports, claims, time_series, risk_free_rate, max_concurrency, max_receives }
    }

    /// The processor, reading objects that were put into a bucket too.
    #[must_use]
    pub fn with_imports(self, imports: ImportPorts) -> Self {
        Self { imports: Some(imports), ..self }
    }

    /// The processor, redeeming claims too.
    #[must_use]
    pub fn with_claims(self, claims: ClaimPorts) -> Self {
        Self { claims: Some(claims), ..self }
    }

    /// The processor, writing time series too, after the results: they are derived,
    /// and a failure of theirs makes the message come again.
    #[must_use]
    pub fn with_time_series(self, time_series: Arc<dyn TimeSeriesWriter>) -> Self {
        Self { time_series: Some(time_series), ..self }
    }

    /// Works on all messages. One that cannot be read, or whose work fails, leaves
    /// the others alone; transactions and valuations of an entity are taken into
    /// its ledger together, and its results are computed once.
    pub async fn process(&self, records: Vec<Record>) -> Vec<RecordResult> {
        self.run(records, None).await
    }

    /// As [`process`](Self::process), in a bounded time: a message whose work was not
    /// begun, or did not end, comes again.
    pub async fn process_within(&self, records: Vec<Record>, time: WorkTime) -> Vec<RecordResult> {
        self.run(records, Some(time)).await
    }

    async fn run(&self, records: Vec<Record>, time: Option<WorkTime>) -> Vec<RecordResult> {
        let mut results: Vec<RecordResult> = Vec::with_capacity(records.len());
        let mut plan = Plan::default();
        for (index, record) in records.into_iter().enumerate() {
            let message_id = record.message_id.clone();
            let reading = self.read(index, record, &mut plan);
            let outcome = match WorkTime::bound(time, reading).await {
                Some(Ok(outcome)) => outcome,
                Some(Err(problem)) => report::outcome(&Err(problem)),
                None => interrupted(),
            };
            results.push(RecordResult { message_id, outcome });
        }
        for units in plan.stages() {
            for (index, outcome) in self.work(units, time).await {
                if let Some(result) = results.get_mut(index) {
                    result.outcome = outcome;
                }
            }
        }
        results
    }

    /// Plans the work of a message; its outcome until that is done.
    async fn read(
        &self,
        index: usize,
        mut record: Record,
        plan: &mut Plan,
    ) -> Result<RecordOutcome, Problem> {
        match message(&record.body)? {
            Message::Test => {
                tracing::info!("test notification");
                return Ok(RecordOutcome::Done);
            }
            Message::Objects(objects) => {
                plan.imports.push(Unit::Import(index, objects));
                return Ok(interrupted());
            }
            Message::Claim(claim) => {
                let unexpected = || Problem::field("/claim", "unexpected_claim", "claims are not configured");
                record.body = self.claims.as_ref().ok_or_else(unexpected)?.redeem(&claim).await?;
            }
            Message::Event => {}
        }
        plan.add(task(index, record)?);
        Ok(interrupted())
    }

    async fn work(&self, units: Vec<Unit>, time: Option<WorkTime>) -> Vec<(usize, RecordOutcome)> {
        let processor = self.clone();
        let one = move |unit: Unit| {
            let processor = processor.clone();
            async move { WorkTime::bound(time, processor.unit(unit)).await.ok_or(()) }
        };
        let done = process_each(units, self.max_concurrency, one, "records").await;
        // A unit that panicked or had no time keeps its records' outcome: they come again.
        done.into_iter().filter_map(Result::ok).flatten().collect()
    }

    async fn unit(&self, unit: Unit) -> Vec<(usize, RecordOutcome)> {
        let ended = match unit {
            Unit::Import(index, objects) => return vec![(index, self.import(objects).await)],
            Unit::Ledger(entity, tasks) => self.ledger(&entity, tasks).await,
            Unit::Single(task) => vec![self.single(*task).await],
        };
        let mut outcomes = Vec::with_capacity(ended.len());
        for ended in ended {
            outcomes.push((ended.task.index, self.report(ended).await));
        }
        outcomes
    }

    async fn ledger(&self, entity: &EntityKey, tasks: Vec<Task>) -> Vec<Ended> {
        let change = |task: &Task| Change::Event(Box::new(task.event.body.clone()));
        let changes: Vec<Change> = tasks.iter().map(change).collect();
        let outcomes = match self.update(entity, &changes).await {
            Ok(outcomes) => outcomes,
            Err(problem) => vec![Err(problem); tasks.len()],
        };
        let url = result_url(entity.entity_type, &entity.entity_id);
        let ended = |(task, outcome): (Task, Result<(), Problem>)| {
            let item = Itemized { item: task.event.item, outcome: report::item(&outcome, Some(&url)) };
            Ended { task, outcome, items: vec![item] }
        };
        tasks.into_iter().zip(outcomes).map(ended).collect()
    }

    /// Takes changes into the ledger of an entity and brings its results up to date;
    /// the outcome of each change.
    pub(super) async fn update(
        &self,
        entity: &EntityKey,
        changes: &[Change],
    ) -> Result<Vec<Result<(), Problem>>, Problem> {
        let ports = &self.ports;
        let ingested = ingest(&*ports.ledger, &*ports.ledger_writer, entity, changes).await;
        let ingested = ingested.map_err(|error| problem_of(&error))?;
        if ingested.revision == 0 {
            return Ok(ingested.outcomes);
        }
        let done =
            recalculate(ports, &self.risk_free_rate, entity, &ingested.ledger, ingested.revision).await;
        let done = match done {
            Ok(results) => self.write_series(&results).await,
            Err(Failure::Problem(problem)) => Err(problem),
            Err(Failure::Port(error)) => Err(problem_of(&error)),
        };
        let Err(problem) = done else { return Ok(ingested.outcomes) };
        Ok(ingested.outcomes.into_iter().map(|outcome| outcome.and_then(|()| Err(problem.clone()))).collect())
    }

    async fn single(&self, task: Task) -> Ended {
        let first = task.event.item;
        match task.event.body.clone() {
            EventBody::PortfolioPerformance(request) => {
                let outcome = self.calculate(*request, &task).await;
                let items = vec![Itemized { item: first, outcome: report::done(&outcome) }];
                Ended { task, outcome: outcome.map(drop), items }
            }
            EventBody::CalculationCompleted(result) => {
                let outcome = self.store(&result).await;
                let url = result_url(result.entity_type, &result.entity_id);
                let items = vec![Itemized { item: first, outcome: report::item(&outcome, Some(&url)) }];
                Ended { task, outcome, items }
            }
            EventBody::BatchCalculation(members) if members.len() > MAX_MEMBERS_PER_MESSAGE => {
                let outcome = self.split(&task, &members).await;
                let items = refused(&members, first);
                Ended { task, outcome, items }
            }
            EventBody::BatchCalculation(members) => self.batch(task, members).await,
            EventBody::Transaction { .. } | EventBody::Valuation { .. } => {
                // These are worked on by their ledger.
                Ended { task, outcome: Ok(()), items: Vec::new() }
            }
        }
    }

    /// Computes a request and stores its result; says where, if it is to be stored.
    async fn calculate(&self, request: CalculationRequest, task: &Task) -> Result<Option<String>, Problem> {
        let is_stored = request.store;
        let supplied = supply(&*self.ports.ledger, request, &task.tenant).await?;
        let basis = supplied.basis;
        let request_id = task.event.request_id.as_ref().map_or(task.message_id.as_str(), Identifier::as_str);
        let stamp = stamp(request_id, &task.tenant, &*self.ports.clock, &self.risk_free_rate);
        let result = compute(Arc::new(supplied), stamp).await?;
        if !is_stored {
            return Ok(None);
        }
        let completed = CompletedResult::new(&result, basis);
        let completed = completed.map_err(|error| Problem::internal(error.to_string()))?;
        self.store(&completed).await?;
        Ok(Some(result_url(completed.entity_type, &completed.entity_id)))
    }

    async fn store(&self, result: &CompletedResult) -> Result<(), Problem> {
        let now = super::compute::timestamp(self.ports.clock.now());
        let rows = rows(result, &now);
        self.ports.writer.put_results(&rows).await.map_err(|error| problem_of(&error))?;
        tracing::trace!(target: MEASURES, rows_written = rows.len());
        self.write_series(std::slice::from_ref(result)).await
    }

    async fn write_series(&self, results: &[CompletedResult]) -> Result<(), Problem> {
        let Some(writer) = &self.time_series else { return Ok(()) };
        let records: Vec<_> = results.iter().filter_map(time_series::record).collect();
        writer.write_series(&records).await.map_err(|error| problem_of(&error))
    }

    /// Sends a large batch again as parts: members beside each other stay together,
    /// so that a part's first position tells all of them.
    async fn split(&self, task: &Task, members: &BatchMembers) -> Result<(), Problem> {
        let mut bodies = Vec::new();
        for (item, part) in parts(members) {
            let event = Event {
                item: task.event.item.saturating_add(item),
                body: EventBody::BatchCalculation(part),
                ..task.event.clone()
            };
            let event = event.for_tenant(&task.tenant);
            let body = serde_json::to_string(&event).map_err(|error| Problem::internal(error.to_string()))?;
            bodies.push(body);
        }
        self.ports.queue.send(&bodies).await.map_err(|error| problem_of(&error))
    }

    async fn batch(&self, task: Task, members: BatchMembers) -> Ended {
        let first = task.event.item;
        let mut items = refused(&members, first);
        let mut retry = None;
        for (position, request) in requests(members) {
            let outcome = self.calculate(request, &task).await;
            match outcome {
                Err(problem) if report::is_passing(&problem) => retry = Some(problem),
                outcome => items
                    .push(Itemized { item: first.saturating_add(position), outcome: report::done(&outcome) }),
            }
        }
        let failures = items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Failed { .. })).count();
        let outcome = match retry {
            Some(problem) => Err(problem),
            // Nobody would hear of them otherwise.
            None if failures > 0 && task.event.request_id.is_none() => {
                let message = format!("{failures} members of the batch cannot be calculated");
                Err(Problem::field("/requests", "partial_failure", message))
            }
            None => Ok(()),
        };
        Ended { task, outcome, items }
    }

    /// Notes the items of the request, and says what becomes of the message.
    async fn report(&self, ended: Ended) -> RecordOutcome {
        let exhausted = ended.task.receive_count >= self.max_receives;
        let outcome = report::outcome(&ended.outcome);
        match report::note(&*self.ports.requests, &*self.ports.clock, &ended, exhausted).await {
            Ok(()) => outcome,
            Err(error) => RecordOutcome::Retry { detail: error.to_string() },
        }
    }
}
