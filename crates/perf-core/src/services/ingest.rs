//! Takes the events of one entity into its ledger.

use crate::ledger::{ConflictingRevision, Ledger, Merge};
use crate::model::{EntityKey, EventBody, Problem};
use crate::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, PortError};

/// Most months of one commit: a DynamoDB transaction has at most 100 items.
const MONTHS_PER_COMMIT_MAX: usize = 90;
/// Most valuations and transactions of a ledger, void ones included.
const LEDGER_ENTRIES_MAX: usize = 200_000;
/// Attempts against other writers of the same ledger.
const ATTEMPTS_MAX: u32 = 8;

/// A ledger after its events.
pub(super) struct Ingested {
    pub(super) ledger: Ledger,
    pub(super) revision: u64,
    /// For each event, whether it is, or was already, part of the ledger.
    pub(super) outcomes: Vec<Result<(), Problem>>,
}

/// Stores events in the ledger of their entity. Other writers may be at work: what
/// they stored first is read again, and the events are merged with it.
pub(super) async fn ingest(
    reader: &dyn LedgerReader,
    writer: &dyn LedgerWriter,
    entity: &EntityKey,
    events: &[EventBody],
) -> Result<Ingested, PortError> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(ingested) = attempt(reader, writer, entity, events).await? {
            return Ok(ingested);
        }
    }
    Err(PortError::transient("too many writers of one ledger"))
}

async fn attempt(
    reader: &dyn LedgerReader,
    writer: &dyn LedgerWriter,
    entity: &EntityKey,
    events: &[EventBody],
) -> Result<Option<Ingested>, PortError> {
    let stored = reader.read_ledger(entity).await?;
    let mut revision = stored.revision;
    let mut ledger = Ledger::new(stored.months);
    let mut outcomes = Vec::with_capacity(events.len());
    for event in events {
        outcomes.push(merge(&mut ledger, event));
        if ledger.changes() >= MONTHS_PER_COMMIT_MAX
            && !commit(writer, entity, &mut ledger, &mut revision).await?
        {
            return Ok(None);
        }
    }
    if ledger.changes() > 0 && !commit(writer, entity, &mut ledger, &mut revision).await? {
        return Ok(None);
    }
    Ok(Some(Ingested { ledger, revision, outcomes }))
}

/// Whether the changes were stored; not where somebody else stored some first.
async fn commit(
    writer: &dyn LedgerWriter,
    entity: &EntityKey,
    ledger: &mut Ledger,
    revision: &mut u64,
) -> Result<bool, PortError> {
    let commit =
        LedgerCommit { entity: entity.clone(), expected: *revision, months: ledger.changed_months() };
    match writer.commit_ledger(&commit).await? {
        Commit::Conflict => Ok(false),
        Commit::Done(new) => {
            *revision = new;
            ledger.mark_stored();
            Ok(true)
        }
    }
}

fn merge(ledger: &mut Ledger, event: &EventBody) -> Result<(), Problem> {
    if ledger.len() >= LEDGER_ENTRIES_MAX {
        return Err(Problem::too_large(format!("a ledger has at most {LEDGER_ENTRIES_MAX} entries")));
    }
    let conflicting =
        |error: ConflictingRevision| Problem::field("/revision", "conflicting_revision", error.to_string());
    let merged = match event {
        EventBody::Transaction { entry, .. } => ledger.merge_transaction(entry.clone()),
        EventBody::Valuation { entry, .. } => ledger.merge_valuation(entry.clone()),
        EventBody::PortfolioPerformance(_)
        | EventBody::BatchCalculation(_)
        | EventBody::CalculationCompleted(_) => Ok(Merge::Unchanged),
    };
    merged.map(drop).map_err(conflicting)
}
