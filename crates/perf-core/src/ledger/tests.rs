use proptest::prelude::*;

use super::*;
use crate::model::{Transaction, TransactionKind, Valuation};
use crate::number::Exact;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn valuation(date: &str, revision: u32, value: Option<i64>) -> ValuationEntry {
    let valuation = value.map(|value| Valuation { value: value.into(), currency: None });
    ValuationEntry { date: day(date), revision, valuation }
}

fn transaction(name: &str, revision: u32, content: Option<(&str, TransactionKind, i64)>) -> TransactionEntry {
    let transaction = content.map(|(date, kind, amount)| Transaction {
        date: day(date),
        kind,
        amount: amount.into(),
        currency: None,
        timing: None,
        account_id: None,
    });
    TransactionEntry { transaction_id: name.parse().expect("a name"), revision, transaction }
}

fn flows(ledger: &Ledger, level: EntityType) -> Vec<String> {
    let Data::Valuations { cash_flows, .. } = ledger.data(level) else { panic!("valuations") };
    cash_flows.iter().map(|flow| flow.amount.to_string()).collect()
}

#[test]
fn a_void_is_remembered() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.merge_transaction(transaction("t", 2, None)), Ok(Merge::Changed));
    assert_eq!(ledger.changed_months()[0].month, "void");
    let older = transaction("t", 1, Some(("2023-01-05", TransactionKind::Deposit, 5)));
    assert_eq!(ledger.merge_transaction(older), Ok(Merge::Unchanged));
    assert_eq!(flows(&ledger, EntityType::Portfolio), Vec::<String>::new());
    let newer = transaction("t", 3, Some(("2023-01-05", TransactionKind::Deposit, 5)));
    assert_eq!(ledger.merge_transaction(newer), Ok(Merge::Changed));
    assert_eq!(flows(&ledger, EntityType::Portfolio), ["5"]);
    let months: Vec<String> = ledger.changed_months().into_iter().map(|month| month.month).collect();
    assert_eq!(months, ["2023-01", "void"]);
    assert!(ledger.changed_months()[1].transactions.is_empty());
}

#[test]
fn a_correction_may_move_a_transaction_to_another_month() {
    let mut ledger = Ledger::default();
    let first = transaction("t", 0, Some(("2023-01-05", TransactionKind::Deposit, 5)));
    ledger.merge_transaction(first.clone()).expect("no conflict");
    assert_eq!(ledger.merge_transaction(first), Ok(Merge::Unchanged));
    let mut ledger = Ledger::new(ledger.changed_months());
    assert_eq!(ledger.changes(), 0);
    let second = transaction("t", 1, Some(("2023-03-05", TransactionKind::Withdrawal, 7)));
    ledger.merge_transaction(second).expect("no conflict");
    let sizes: Vec<(String, usize)> =
        ledger.changed_months().into_iter().map(|month| (month.month, month.transactions.len())).collect();
    assert_eq!(sizes, [("2023-01".to_owned(), 0), ("2023-03".to_owned(), 1)]);
    assert_eq!(flows(&ledger, EntityType::Account), ["-7"]);
}

#[test]
fn the_same_value_in_another_notation_is_the_same() {
    let mut ledger = Ledger::default();
    ledger.merge_valuation(valuation("2023-01-31", 0, Some(100))).expect("no conflict");
    let mut again = valuation("2023-01-31", 0, Some(0));
    again.valuation = Some(Valuation { value: Exact::new(10_000, 2), currency: None });
    assert_eq!(ledger.merge_valuation(again), Ok(Merge::Unchanged));
    let void = ledger.merge_valuation(valuation("2023-01-31", 0, None));
    assert_eq!(void, Err(ConflictingRevision { revision: 0 }));
}

#[test]
fn kinds_are_flows_by_level() {
    use TransactionKind::{
        Buy, Deposit, Dividend, Fee, Interest, Sell, Tax, TransferIn, TransferOut, Withdrawal,
    };
    let mut ledger = Ledger::default();
    let kinds = [Deposit, TransferIn, Withdrawal, TransferOut, Buy, Sell, Dividend, Interest, Fee, Tax];
    for (amount, kind) in (1..).zip(kinds) {
        let entry = transaction(&format!("t{amount:02}"), 0, Some(("2023-01-05", kind, amount)));
        ledger.merge_transaction(entry).expect("no conflict");
    }
    for level in [EntityType::Portfolio, EntityType::Account] {
        assert_eq!(flows(&ledger, level), ["1", "2", "-3", "-4"]);
    }
    assert_eq!(flows(&ledger, EntityType::Security), ["1", "2", "-3", "-4", "5", "-6", "-7", "-8"]);
}

#[test]
fn two_currencies_are_noticed_until_one_is_corrected() {
    let mut ledger = Ledger::default();
    for (date, currency) in [("2023-01-31", Some("EUR")), ("2023-02-28", None), ("2023-03-31", Some("USD"))] {
        let mut entry = valuation(date, 0, Some(1));
        let currency = currency.map(|code| code.parse().expect("a currency"));
        entry.valuation = Some(Valuation { value: Exact::from(1), currency });
        ledger.merge_valuation(entry).expect("no conflict");
    }
    assert!(ledger.has_mixed_currencies());
    ledger.merge_valuation(valuation("2023-03-31", 1, None)).expect("no conflict");
    assert!(!ledger.has_mixed_currencies());
}

proptest! {
    #[test]
    fn the_order_of_events_does_not_matter(
        seeds in prop::collection::vec((0_u32..6, 0_u32..4, 0_i64..3), 1..40),
        rotation in 0_usize..40,
    ) {
        // One content per name and revision, as a well-behaved sender has it.
        let entry = |(name, revision, _): (u32, u32, i64)| {
            let content = (name + revision) % 4;
            let date = format!("2023-{:02}-05", 1 + (name * 5 + revision * 3) % 12);
            let live = (content > 0).then_some((date.as_str(), TransactionKind::Deposit, i64::from(content)));
            transaction(&format!("t{name}"), revision, live)
        };
        let collect = |order: &[(u32, u32, i64)]| {
            let mut ledger = Ledger::default();
            for seed in order {
                ledger.merge_transaction(entry(*seed)).expect("no conflict");
            }
            ledger.data(EntityType::Portfolio)
        };
        let mut rotated = seeds.clone();
        rotated.rotate_left(rotation % seeds.len());
        rotated.extend(seeds.iter().rev());
        prop_assert_eq!(collect(&seeds), collect(&rotated));
    }
}
