//! Ledgers.

use perf_core::model::{
    LedgerMonth, Timing, Transaction, TransactionEntry, TransactionKind, Valuation, ValuationEntry,
};
use perf_core::ports::{Commit, LedgerCommit, LedgerReader, LedgerWriter, StoredLedger};

use crate::{day, entity, name};

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

fn transaction(id: &str, revision: u32, transaction: Option<Transaction>) -> TransactionEntry {
    TransactionEntry { transaction_id: name(id), revision, transaction }
}

/// Every member of an entry is read as it was written, the digits of amounts too.
pub async fn entries_are_read_as_written(store: &(impl LedgerReader + LedgerWriter)) {
    let full = Transaction {
        date: day("2023-01-15"),
        kind: TransactionKind::TransferOut,
        amount: "1234567890123456789012345.670".parse().expect("a number"),
        currency: Some("EUR".parse().expect("a currency")),
        timing: Some(Timing::StartOfDay),
        account_id: Some(name("acct:1")),
    };
    let plain = Transaction { currency: None, timing: None, account_id: None, ..full.clone() };
    let valuation = |date: &str, value: &str| ValuationEntry {
        date: day(date),
        revision: 7,
        valuation: Some(Valuation { value: value.parse().expect("a number"), currency: None }),
    };
    let void = ValuationEntry { date: day("2023-01-17"), revision: u32::MAX, valuation: None };
    let january = LedgerMonth {
        month: "2023-01".to_owned(),
        valuations: vec![valuation("2023-01-15", "-0.10"), valuation("2023-01-16", "1e-20"), void],
        transactions: vec![
            transaction("A", 0, Some(full)),
            transaction("a.-_:Z", 1, Some(plain)),
            transaction("b", 2, None),
        ],
    };
    let undated = LedgerMonth {
        month: "void".to_owned(),
        valuations: Vec::new(),
        transactions: vec![transaction("gone", 3, None)],
    };
    let files = LedgerMonth { month: "files-2024".to_owned(), ..undated.clone() };
    let months = vec![january, files, undated];
    assert_eq!(commit(store, ("acme", "p"), 0, months.clone()).await, Commit::Done(1));
    let stored = read(store, "acme", "p").await;
    assert_eq!(stored, StoredLedger { revision: 1, months: months.clone() });
    let texts = |months: &[LedgerMonth]| {
        let values = months.iter().flat_map(|month| &month.valuations);
        let values = values.filter_map(|entry| entry.valuation.as_ref()).map(|value| value.value.to_string());
        values.collect::<Vec<_>>()
    };
    assert_eq!(texts(&stored.months), texts(&months));
}

/// As many months as one commit may have, some of them as large as a month may be.
pub async fn large_months_are_stored_together(store: &(impl LedgerReader + LedgerWriter)) {
    let flow = |id: usize| {
        let flow = Transaction {
            date: day("2023-01-15"),
            kind: TransactionKind::Deposit,
            amount: 1.into(),
            currency: None,
            timing: None,
            account_id: None,
        };
        transaction(&format!("flow:0123456789abcdef:2023-01-15:{id:05}"), 0, Some(flow))
    };
    let large = |name: &str| LedgerMonth {
        month: name.to_owned(),
        valuations: Vec::new(),
        transactions: (0..2_700).map(flow).collect(),
    };
    let bytes = serde_json::to_string(&large("2030-01")).expect("JSON").len();
    assert!((320_000..350_000).contains(&bytes), "{bytes}");
    let mut months: Vec<LedgerMonth> =
        (0..85).map(|index| month(&format!("20{:02}-{:02}", index / 12, index % 12 + 1), Some(1))).collect();
    months.extend((1..=5).map(|index| large(&format!("2030-{index:02}"))));
    assert_eq!(commit(store, ("acme", "p"), 0, months.clone()).await, Commit::Done(1));
    assert_eq!(read(store, "acme", "p").await, StoredLedger { revision: 1, months });
}
