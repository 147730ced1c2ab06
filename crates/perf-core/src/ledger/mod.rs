//! A ledger in memory: what events make of it, and what a calculation reads in it.
//!
//! The same events give the same ledger whatever their order and however often
//! each one comes: the highest revision of a valuation's date or of a transaction's
//! name wins, a void one hides what it stands for, and is itself remembered so that
//! an older revision that arrives later changes nothing.

mod file;
mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::model::{
    CashFlow, CurrencyCode, Data, Dated, EntityType, Identifier, LedgerMonth, TransactionEntry,
    ValuationEntry,
};

pub use file::{FileMark, FileRows, LedgerFile, Statement};

/// Month of the removed transactions whose date nobody knows.
const UNDATED: &str = "void";

/// What an event did to a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// It is part of the ledger now.
    Changed,
    /// It was known, or an event of a higher revision was.
    Unchanged,
}

/// The same revision was seen with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("revision {revision} is known with other content; a correction needs a higher revision")]
pub struct ConflictingRevision {
    /// The revision.
    pub revision: u32,
}

/// The valuations and transactions of one entity.
///
/// ```
/// use perf_core::ledger::{Ledger, Merge};
/// use perf_core::model::{Valuation, ValuationEntry};
/// let date = chrono::NaiveDate::from_ymd_opt(2023, 6, 30).ok_or("no such day")?;
/// let entry = |revision, value: i64| ValuationEntry {
///     date,
///     revision,
///     valuation: Some(Valuation { value: value.into(), currency: None }),
/// };
/// let mut ledger = Ledger::default();
/// assert_eq!(ledger.merge_valuation(entry(1, 10_850)), Ok(Merge::Changed));
/// assert_eq!(ledger.merge_valuation(entry(0, 10_000)), Ok(Merge::Unchanged));
/// assert!(ledger.merge_valuation(entry(1, 10_851)).is_err());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    valuations: BTreeMap<NaiveDate, ValuationEntry>,
    transactions: BTreeMap<Identifier, Filed>,
    touched: BTreeSet<String>,
}

/// A transaction and the month that it is stored under.
#[derive(Clone, Debug)]
struct Filed {
    month: String,
    entry: TransactionEntry,
}

impl Ledger {
    /// The ledger that these months make.
    #[must_use]
    pub fn new(months: Vec<LedgerMonth>) -> Self {
        let mut ledger = Self::default();
        for LedgerMonth { month, valuations, transactions } in months {
            ledger.valuations.extend(valuations.into_iter().map(|entry| (entry.date, entry)));
            let filed = |entry: TransactionEntry| {
                (entry.transaction_id.clone(), Filed { month: month.clone(), entry })
            };
            ledger.transactions.extend(transactions.into_iter().map(filed));
        }
        ledger
    }

    /// Takes a valuation in.
    ///
    /// # Errors
    ///
    /// [`ConflictingRevision`].
    pub fn merge_valuation(&mut self, entry: ValuationEntry) -> Result<Merge, ConflictingRevision> {
        if let Some(known) = self.valuations.get(&entry.date)
            && known.revision >= entry.revision
        {
            let same = known.valuation == entry.valuation;
            return unchanged(known.revision, entry.revision, same);
        }
        self.touched.insert(month_of(entry.date));
        self.valuations.insert(entry.date, entry);
        Ok(Merge::Changed)
    }

    /// Takes a transaction in.
    ///
    /// # Errors
    ///
    /// [`ConflictingRevision`].
    pub fn merge_transaction(&mut self, entry: TransactionEntry) -> Result<Merge, ConflictingRevision> {
        let known = self.transactions.get(&entry.transaction_id);
        if let Some(Filed { entry: known, .. }) = known
            && known.revision >= entry.revision
        {
            let same = known.transaction == entry.transaction;
            return unchanged(known.revision, entry.revision, same);
        }
        let before = known.map(|known| known.month.clone());
        let month = match &entry.transaction {
            Some(transaction) => month_of(transaction.date),
            None => before.clone().unwrap_or_else(|| UNDATED.to_owned()),
        };
        self.touched.extend(before);
        self.touched.insert(month.clone());
        self.transactions.insert(entry.transaction_id.clone(), Filed { month, entry });
        Ok(Merge::Changed)
    }

    /// The months that changed, as they are to be stored; empty ones among them.
    #[must_use]
    pub fn changed_months(&self) -> Vec<LedgerMonth> {
        self.touched.iter().map(|month| self.month(month)).collect()
    }

    /// How many months changed.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.touched.len()
    }

    /// Notes that the changed months have been stored.
    pub fn mark_stored(&mut self) {
        self.touched.clear();
    }

    fn month(&self, month: &str) -> LedgerMonth {
        let valuations = self.valuations.values().filter(|entry| month_of(entry.date) == month);
        let transactions = self.transactions.values().filter(|filed| filed.month == month);
        LedgerMonth {
            month: month.to_owned(),
            valuations: valuations.cloned().collect(),
            transactions: transactions.map(|filed| filed.entry.clone()).collect(),
        }
    }

    /// How many valuations and transactions there are, void ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.valuations.len() + self.transactions.len()
    }

    /// Whether there has been no event at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether amounts of different currencies stand side by side.
    #[must_use]
    pub fn has_mixed_currencies(&self) -> bool {
        let valued = self.valuations.values().filter_map(|entry| entry.valuation.as_ref()?.currency);
        let moved = self.transactions.values().filter_map(|filed| filed.entry.transaction.as_ref()?.currency);
        valued.chain(moved).collect::<BTreeSet<CurrencyCode>>().len() > 1
    }

    /// The account that the latest transaction names.
    #[must_use]
    pub fn account_id(&self) -> Option<&Identifier> {
        let named = self.transactions.values().filter_map(|filed| {
            let transaction = filed.entry.transaction.as_ref()?;
            Some((transaction.date, &filed.entry.transaction_id, transaction.account_id.as_ref()?))
        });
        named.max().map(|(_, _, account_id)| account_id)
    }

    /// What a calculation reads: net figures, fees and taxes lowering the return.
    #[must_use]
    pub fn data(&self, level: EntityType) -> Data {
        let value = |entry: &ValuationEntry| {
            Some(Dated { date: entry.date, value: entry.valuation.as_ref()?.value.clone() })
        };
        let flow = |filed: &Filed| {
            let transaction = filed.entry.transaction.as_ref()?;
            let direction = transaction.kind.flow(level)?;
            Some(CashFlow {
                date: transaction.date,
                amount: direction.signed(&transaction.amount),
                timing: transaction.timing,
            })
        };
        let mut cash_flows: Vec<CashFlow> = self.transactions.values().filter_map(flow).collect();
        cash_flows.sort_by_key(|flow| flow.date);
        Data::Valuations { valuations: self.valuations.values().filter_map(value).collect(), cash_flows }
    }
}

fn unchanged(known: u32, given: u32, same: bool) -> Result<Merge, ConflictingRevision> {
    if known == given && !same { Err(ConflictingRevision { revision: given }) } else { Ok(Merge::Unchanged) }
}

fn month_of(date: NaiveDate) -> String {
    date.format("%Y-%m").to_string()
}

#[cfg(test)]
mod tests;
