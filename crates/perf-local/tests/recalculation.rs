//! How much is read, computed and written when the ledger of an entity changes.

#![allow(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use perf_core::model::EntityKey;
use perf_core::number::Exact;
use perf_core::ports::{
    Commit, LedgerCommit, LedgerReader, LedgerWriter, Page, PortError, Position, PutOutcome, ResultFilter,
    ResultReader, ResultRow, ResultWriter, Slice, StoredLedger,
};
use perf_core::services::{Processor, ProcessorPorts, Record, RecordOutcome, STANDING_WINDOWS};
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use serde_json::{Value, json};

/// Valuations of five years of trading, and the calendar days between the first and the last.
const DAYS: u64 = 1_260;
const CALENDAR_DAYS: u64 = 1_830;

/// A store that counts what is asked of it.
struct Counted {
    store: Arc<SqliteStore>,
    ledger_reads: AtomicUsize,
    ledger_commits: AtomicUsize,
    months_written: AtomicUsize,
    result_reads: AtomicUsize,
    result_writes: AtomicUsize,
    rows_written: AtomicUsize,
}

/// What has been asked of a store.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    ledger_reads: usize,
    ledger_commits: usize,
    months_written: usize,
    result_reads: usize,
    result_writes: usize,
    rows_written: usize,
}

impl Counted {
    fn new() -> Arc<Self> {
        let store = SqliteStore::in_memory(Arc::new(SystemClock), QueueSettings::default()).unwrap();
        let zero = AtomicUsize::default;
        Arc::new(Self {
            store: Arc::new(store),
            ledger_reads: zero(),
            ledger_commits: zero(),
            months_written: zero(),
            result_reads: zero(),
            result_writes: zero(),
            rows_written: zero(),
        })
    }

    /// Since they were last taken.
    fn take(&self) -> Counts {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        Counts {
            ledger_reads: take(&self.ledger_reads),
            ledger_commits: take(&self.ledger_commits),
            months_written: take(&self.months_written),
            result_reads: take(&self.result_reads),
            result_writes: take(&self.result_writes),
            rows_written: take(&self.rows_written),
        }
    }
}

fn count(counter: &AtomicUsize, by: usize) {
    counter.fetch_add(by, Ordering::SeqCst);
}

#[async_trait]
impl LedgerReader for Counted {
    async fn read_ledger(&self, entity: &EntityKey) -> Result<StoredLedger, PortError> {
        count(&self.ledger_reads, 1);
        self.store.read_ledger(entity).await
    }
}

#[async_trait]
impl LedgerWriter for Counted {
    async fn commit_ledger(&self, commit: &LedgerCommit) -> Result<Commit, PortError> {
        count(&self.ledger_commits, 1);
        count(&self.months_written, commit.months.len());
        self.store.commit_ledger(commit).await
    }
}

#[async_trait]
impl ResultReader for Counted {
    async fn results_of(
        &self,
        entity: &EntityKey,
        filter: &ResultFilter,
        page: &Page<Position>,
    ) -> Result<Slice<Position>, PortError> {
        count(&self.result_reads, 1);
        self.store.results_of(entity, filter, page).await
    }

    async fn current_of(&self, entity: &EntityKey) -> Result<Vec<ResultRow>, PortError> {
        count(&self.result_reads, 1);
        self.store.current_of(entity).await
    }
}

#[async_trait]
impl ResultWriter for Counted {
    async fn put_results(&self, rows: &[ResultRow]) -> Result<Vec<PutOutcome>, PortError> {
        count(&self.result_writes, 1);
        count(&self.rows_written, rows.len());
        self.store.put_results(rows).await
    }
}

fn processor(counted: &Arc<Counted>) -> Processor {
    let ports = ProcessorPorts {
        ledger: counted.clone(),
        ledger_writer: counted.clone(),
        results: counted.clone(),
        writer: counted.clone(),
        requests: counted.store.clone(),
        queue: counted.store.clone(),
        clock: Arc::new(SystemClock),
    };
    Processor::new(ports, Exact::ZERO, NonZeroUsize::new(4).unwrap(), 3)
}

fn valuation(day: u64) -> Value {
    let date = NaiveDate::from_ymd_opt(2019, 1, 1).unwrap() + Days::new(day * CALENDAR_DAYS / (DAYS - 1));
    json!({"version": 1, "type": "valuation", "client_id": "acme", "entity_type": "portfolio", "entity_id": "p",
           "date": date, "value": (100_000 + day * 37 % 1_000).to_string()})
}

async fn process(processor: &Processor, days: impl Iterator<Item = u64>) {
    let record =
        |day: u64| Record { message_id: day.to_string(), body: valuation(day).to_string(), receive_count: 1 };
    let results = processor.process(days.map(record).collect()).await;
    assert!(results.iter().all(|result| result.outcome == RecordOutcome::Done), "{results:?}");
}

/// Each window has a current row and one of its last day.
const ROWS: usize = 2 * STANDING_WINDOWS.len();

#[tokio::test]
async fn a_backfill_of_five_years_in_one_batch_is_one_recalculation() {
    let counted = Counted::new();
    process(&processor(&counted), 0..DAYS).await;
    let expected = Counts {
        ledger_reads: 1,
        ledger_commits: 1,
        months_written: 61,
        result_reads: 1,
        result_writes: 1,
        rows_written: ROWS,
    };
    assert_eq!(counted.take(), expected);
}

#[tokio::test]
async fn a_new_day_reads_the_ledger_once_and_writes_one_month_of_it() {
    let counted = Counted::new();
    let processor = processor(&counted);
    process(&processor, 0..DAYS - 1).await;
    counted.take();
    process(&processor, DAYS - 1..DAYS).await;
    let expected = Counts {
        ledger_reads: 1,
        ledger_commits: 1,
        months_written: 1,
        result_reads: 1,
        result_writes: 1,
        rows_written: ROWS,
    };
    assert_eq!(counted.take(), expected);
    // The same day again changes nothing in the ledger; results are made sure of.
    process(&processor, DAYS - 1..DAYS).await;
    assert_eq!(counted.take(), Counts { ledger_commits: 0, months_written: 0, ..expected });
}
