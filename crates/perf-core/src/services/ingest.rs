//! Takes the events and files of one entity into its ledger.

use std::collections::BTreeSet;

use crate::ledger::{ConflictingRevision, Ledger, LedgerFile, Statement};
use crate::model::{EntityKey, EventBody, LedgerMonth, Problem};
use crate::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, PortError};

/// Most months of one commit: a DynamoDB transaction has at most 100 items.
const MONTHS_PER_COMMIT_MAX: usize = 90;
/// Most bytes of a month as JSON: a DynamoDB item, in which a month takes no more,
/// holds 400 KB.
const MONTH_BYTES_MAX: usize = 350_000;
/// Most bytes of the months of one commit, as JSON: a DynamoDB transaction holds 4 MB.
const COMMIT_BYTES_MAX: usize = 3_500_000;
/// Most valuations and transactions of a ledger, void ones included.
const LEDGER_ENTRIES_MAX: usize = 200_000;
/// Attempts against other writers of the same ledger.
const ATTEMPTS_MAX: u32 = 8;

/// Something that an entity's ledger takes in, or refuses, as a whole.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Event(Box<EventBody>),
    File(LedgerFile),
}

/// A ledger after its changes.
pub(super) struct Ingested {
    pub(super) ledger: Ledger,
    pub(super) revision: u64,
    /// For each change, whether it is, or was already, part of the ledger.
    pub(super) outcomes: Vec<Result<(), Problem>>,
}

/// How an attempt ended.
enum Attempt {
    Done(Box<Ingested>),
    /// Somebody else stored something first.
    Overtaken,
    /// These months would become too large.
    Full(Vec<String>),
}

/// Stores changes in the ledger of their entity. Other writers may be at work: what
/// they stored first is read again, and the changes are merged with it. Changes of a
/// month that would become too large are refused.
pub(super) async fn ingest(
    reader: &dyn LedgerReader,
    writer: &dyn LedgerWriter,
    entity: &EntityKey,
    changes: &[Change],
) -> Result<Ingested, PortError> {
    let (mut full, mut attempts) = (BTreeSet::new(), 0);
    while attempts < ATTEMPTS_MAX {
        match attempt(reader, writer, entity, changes, &full).await? {
            Attempt::Done(ingested) => return Ok(*ingested),
            Attempt::Overtaken => attempts += 1,
            // Each of them is closed once.
            Attempt::Full(months) => full.extend(months),
        }
    }
    Err(PortError::transient("too many writers of one ledger"))
}

/// A ledger being changed.
struct Work<'a> {
    writer: &'a dyn LedgerWriter,
    entity: &'a EntityKey,
    ledger: Ledger,
    revision: u64,
}

async fn attempt(
    reader: &dyn LedgerReader,
    writer: &dyn LedgerWriter,
    entity: &EntityKey,
    changes: &[Change],
    full: &BTreeSet<String>,
) -> Result<Attempt, PortError> {
    let stored = reader.read_ledger(entity).await?;
    let mut work = Work { writer, entity, ledger: Ledger::new(stored.months), revision: stored.revision };
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let statements = match statements(&work.ledger, change, full) {
            Ok(statements) => statements,
            Err(problem) => {
                outcomes.push(Err(problem));
                continue;
            }
        };
        let mut outcome = Ok(());
        for statement in statements {
            outcome =
                outcome.and(work.ledger.merge(statement).map(drop).map_err(|error| conflicting(&error)));
            if work.ledger.changes() >= MONTHS_PER_COMMIT_MAX
                && let Some(ended) = work.commit().await?
            {
                return Ok(ended);
            }
        }
        outcomes.push(outcome);
    }
    match work.commit().await? {
        Some(ended) => Ok(ended),
        None => {
            let Work { ledger, revision, .. } = work;
            Ok(Attempt::Done(Box::new(Ingested { ledger, revision, outcomes })))
        }
    }
}

impl Work<'_> {
    /// Stores what has changed; how the attempt ends where that is impossible.
    async fn commit(&mut self) -> Result<Option<Attempt>, PortError> {
        let sized = |month: LedgerMonth| {
            let bytes = size(&month);
            (month, bytes)
        };
        let months: Vec<(LedgerMonth, usize)> = self.ledger.changed_months().into_iter().map(sized).collect();
        let too_large = months.iter().filter(|(_, bytes)| *bytes > MONTH_BYTES_MAX);
        let full: Vec<String> = too_large.map(|(month, _)| month.month.clone()).collect();
        if !full.is_empty() {
            return Ok(Some(Attempt::Full(full)));
        }
        for months in transactions(months) {
            let commit = LedgerCommit { entity: self.entity.clone(), expected: self.revision, months };
            match self.writer.commit_ledger(&commit).await? {
                Commit::Conflict => return Ok(Some(Attempt::Overtaken)),
                Commit::Done(new) => self.revision = new,
            }
        }
        self.ledger.mark_stored();
        Ok(None)
    }
}

/// Bytes of a month as JSON. One that cannot be written is the store's to refuse.
fn size(month: &LedgerMonth) -> usize {
    serde_json::to_string(month).map_or(0, |text| text.len())
}

/// The months of each commit.
fn transactions(months: Vec<(LedgerMonth, usize)>) -> Vec<Vec<LedgerMonth>> {
    let mut transactions: Vec<Vec<LedgerMonth>> = Vec::new();
    let mut total = 0;
    for (month, bytes) in months {
        total += bytes;
        match transactions.last_mut() {
            Some(transaction) if total <= COMMIT_BYTES_MAX => transaction.push(month),
            _ => {
                transactions.push(vec![month]);
                total = bytes;
            }
        }
    }
    transactions
}

fn conflicting(error: &ConflictingRevision) -> Problem {
    Problem::field("/revision", "conflicting_revision", error.to_string())
}

/// What a change says to the ledger, unless that is too much.
fn statements(ledger: &Ledger, change: &Change, full: &BTreeSet<String>) -> Result<Vec<Statement>, Problem> {
    let statements = match change {
        Change::File(file) => ledger.statements(file).map_err(|error| conflicting(&error))?,
        Change::Event(event) => match event.as_ref() {
            EventBody::Transaction { entry, .. } => vec![Statement::Transaction(entry.clone())],
            EventBody::Valuation { entry, .. } => vec![Statement::Valuation(entry.clone())],
            EventBody::PortfolioPerformance(_)
            | EventBody::BatchCalculation(_)
            | EventBody::CalculationCompleted(_) => Vec::new(),
        },
    };
    if ledger.len() + statements.len() > LEDGER_ENTRIES_MAX {
        return Err(Problem::too_large(format!("a ledger has at most {LEDGER_ENTRIES_MAX} entries")));
    }
    match statements.iter().filter_map(Statement::month).find(|month| full.contains(month)) {
        None => Ok(statements),
        Some(month) => Err(Problem::too_large(format!(
            "the ledger's month {month} would exceed {MONTH_BYTES_MAX} bytes; \
             record fewer transactions, or divide the entity into several"
        ))),
    }
}
