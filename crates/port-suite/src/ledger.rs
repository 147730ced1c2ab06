//! Ledgers.

use perf_core::model::{LedgerMonth, Valuation, ValuationEntry};
use perf_core::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, StoredLedger};

use crate::{day, entity};

fn month(name: &str, value: Option<i64>) -> LedgerMonth {
    let valuation = |value: i64| ValuationEntry {
        date: day(&format!("{name}-15")),
        revision: 0,
        valuation: Some(Valuation { value: value.into(), currency: None }),
    };
    LedgerMonth {
        month: name.to_owned(),
        valuations: value.map(valuation).into_iter().collect(),
        transactions: Vec::new(),
    }
}

async fn commit(
    store: &impl LedgerWriter,
    (client, name): (&str, &str),
    expected: u64,
    months: Vec<LedgerMonth>,
) -> Commit {
    let commit = LedgerCommit { entity: entity(client, name), expected, months };
    store.commit_ledger(&commit).await.expect("a commit")
}

async fn read(store: &impl LedgerReader, client: &str, name: &str) -> StoredLedger {
    store.read_ledger(&entity(client, name)).await.expect("a ledger")
}

/// A commit on another revision than the stored one stores nothing.
pub async fn a_commit_on_an_old_revision_changes_nothing(store: &(impl LedgerReader + LedgerWriter)) {
    let key = ("acme", "p");
    assert_eq!(read(store, "acme", "p").await, StoredLedger::default());
    assert_eq!(commit(store, key, 1, vec![month("2023-01", Some(9))]).await, Commit::Conflict);
    assert_eq!(commit(store, key, 0, vec![month("2023-01", Some(1))]).await, Commit::Done(1));
    assert_eq!(commit(store, key, 0, vec![month("2023-01", Some(2))]).await, Commit::Conflict);
    let stored = StoredLedger { revision: 1, months: vec![month("2023-01", Some(1))] };
    assert_eq!(read(store, "acme", "p").await, stored);
}

/// Months take each other's place by name; an empty one goes.
pub async fn months_are_replaced_and_removed(store: &(impl LedgerReader + LedgerWriter)) {
    let key = ("acme", "p");
    let months = vec![month("2023-02", Some(2)), month("2023-01", Some(1))];
    assert_eq!(commit(store, key, 0, months).await, Commit::Done(1));
    let months = vec![month("2023-01", None), month("2023-03", Some(3))];
    assert_eq!(commit(store, key, 1, months).await, Commit::Done(2));
    let months = vec![month("2023-02", Some(2)), month("2023-03", Some(3))];
    assert_eq!(read(store, "acme", "p").await, StoredLedger { revision: 2, months });
}

/// Of two commits on one revision exactly one is stored.
pub async fn one_of_two_commits_wins(store: &(impl LedgerReader + LedgerWriter)) {
    let one = commit(store, ("acme", "p"), 0, vec![month("2023-01", Some(1))]);
    let other = commit(store, ("acme", "p"), 0, vec![month("2023-01", Some(2))]);
    let (one, other) = tokio::join!(one, other);
    let won = [one, other].iter().filter(|outcome| **outcome == Commit::Done(1)).count();
    assert_eq!(won, 1);
    let value = if one == Commit::Done(1) { 1 } else { 2 };
    assert_eq!(read(store, "acme", "p").await.months, [month("2023-01", Some(value))]);
}

/// A ledger belongs to its tenant.
pub async fn tenants_have_their_own_ledgers(store: &(impl LedgerReader + LedgerWriter)) {
    assert_eq!(commit(store, ("acme", "p"), 0, vec![month("2023-01", Some(1))]).await, Commit::Done(1));
    assert_eq!(read(store, "other", "p").await, StoredLedger::default());
    assert_eq!(commit(store, ("other", "p"), 0, vec![month("2023-01", Some(2))]).await, Commit::Done(1));
    assert_eq!(read(store, "acme", "p").await.months, [month("2023-01", Some(1))]);
}
