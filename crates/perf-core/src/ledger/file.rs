//! What a file of valuations or flows makes of a ledger.
//!
//! A file states what is so when it is put: a row that the ledger has otherwise is
//! a correction, one revision above what is known; a row that the ledger has is
//! left alone. Each file leaves a mark, so that a notification that comes twice, or
//! after that of a later upload, changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate};
use sha2::{Digest, Sha256};

use super::{ConflictingRevision, Filed, Ledger, Merge};
use crate::model::{
    CashFlow, Dated, Identifier, Transaction, TransactionEntry, TransactionKind, Valuation, ValuationEntry,
};
use crate::number::Exact;

/// Bytes of a digest that names are made of.
const NAME_BYTES: usize = 8;

/// A file that was put for an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFile {
    /// Digest of the file's name.
    name: String,
    /// Digest of its bytes.
    content: String,
    /// When it was put, in seconds since 1970.
    put_at_seconds: u32,
    rows: FileRows,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRows {
    /// Money on dates, each date once.
    Valuations(Vec<Dated>),
    /// Signed flows, in date order.
    Flows(Vec<CashFlow>),
}

/// A change that a ledger can take in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A valuation.
    Valuation(ValuationEntry),
    /// A transaction.
    Transaction(TransactionEntry),
    /// That a file has been taken in.
    Mark(FileMark),
}

/// That a content of a file has been taken in; kept as a void transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMark {
    entry: TransactionEntry,
    month: String,
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn identifier(text: &str) -> Result<Identifier, ConflictingRevision> {
    // Names made of digests, dates and numbers are identifiers.
    text.parse().map_err(|_| ConflictingRevision { revision: 0 })
}

impl LedgerFile {
    /// A file by its name, bytes and time.
    #[must_use]
    pub fn new(name: &str, content: &[u8], put_at_seconds: u32, rows: FileRows) -> Self {
        Self { name: digest(name.as_bytes()), content: digest(content), put_at_seconds, rows }
    }

    fn mark(&self) -> Result<FileMark, ConflictingRevision> {
        let transaction_id = identifier(&format!("file:{}:{}", self.name, self.content))?;
        let year = DateTime::from_timestamp(i64::from(self.put_at_seconds), 0).map_or(0, |time| time.year());
        let entry = TransactionEntry { transaction_id, revision: self.put_at_seconds, transaction: None };
        Ok(FileMark { entry, month: format!("files-{year}") })
    }

    /// The file's flows under their names: the place among those of their day.
    fn flows(&self, flows: &[CashFlow]) -> Result<BTreeMap<Identifier, Transaction>, ConflictingRevision> {
        let mut named = BTreeMap::new();
        let mut places = BTreeMap::<NaiveDate, u32>::new();
        for flow in flows {
            let place = places.entry(flow.date).or_default();
            *place += 1;
            let name = identifier(&format!("flow:{}:{}:{place}", self.name, flow.date))?;
            named.insert(name, transaction(flow));
        }
        Ok(named)
    }
}

fn transaction(flow: &CashFlow) -> Transaction {
    let is_withdrawal = flow.amount.is_negative();
    let (kind, amount) = if is_withdrawal {
        (TransactionKind::Withdrawal, &Exact::ZERO - &flow.amount)
    } else {
        (TransactionKind::Deposit, flow.amount.clone())
    };
    Transaction { date: flow.date, kind, amount, currency: None, timing: flow.timing, account_id: None }
}

fn next(revision: u32) -> Result<u32, ConflictingRevision> {
    revision.checked_add(1).ok_or(ConflictingRevision { revision })
}

impl Ledger {
    /// The changes that make the ledger say what the file says, its mark last; none
    /// where this content, or a later one under the file's name, has been taken in.
    ///
    /// Valuations of dates that the file does not name stay. Flows that an earlier
    /// content of the file stated, on dates between its first and its last, and
    /// that it states no longer, become void. A currency that is known is kept.
    ///
    /// # Errors
    ///
    /// [`ConflictingRevision`] where there is no higher revision.
    pub fn statements(&self, file: &LedgerFile) -> Result<Vec<Statement>, ConflictingRevision> {
        let mark = file.mark()?;
        if self.has_taken(file, &mark) {
            return Ok(Vec::new());
        }
        let mut statements = match &file.rows {
            FileRows::Valuations(rows) => self.valuation_statements(rows)?,
            FileRows::Flows(flows) => self.flow_statements(file, flows)?,
        };
        statements.push(Statement::Mark(mark));
        Ok(statements)
    }

    fn has_taken(&self, file: &LedgerFile, mark: &FileMark) -> bool {
        let prefix = format!("file:{}:", file.name);
        self.named(&prefix).any(|known| {
            let same = known.transaction_id == mark.entry.transaction_id;
            known.revision > file.put_at_seconds || (same && known.revision == file.put_at_seconds)
        })
    }

    /// Transactions whose name begins so.
    fn named<'l>(&'l self, prefix: &'l str) -> impl Iterator<Item = &'l TransactionEntry> {
        let entries = self.transactions.values().map(|filed| &filed.entry);
        entries.filter(move |entry| entry.transaction_id.as_str().starts_with(prefix))
    }

    fn valuation_statements(&self, rows: &[Dated]) -> Result<Vec<Statement>, ConflictingRevision> {
        let mut statements = Vec::new();
        for Dated { date, value } in rows {
            let known = self.valuations.get(date);
            let valuation = known.and_then(|known| known.valuation.as_ref());
            if valuation.is_some_and(|valuation| valuation.value == *value) {
                continue;
            }
            let revision = known.map_or(Ok(0), |known| next(known.revision))?;
            let currency = valuation.and_then(|valuation| valuation.currency);
            let valuation = Some(Valuation { value: value.clone(), currency });
            statements.push(Statement::Valuation(ValuationEntry { date: *date, revision, valuation }));
        }
        Ok(statements)
    }

    fn flow_statements(
        &self,
        file: &LedgerFile,
        flows: &[CashFlow],
    ) -> Result<Vec<Statement>, ConflictingRevision> {
        let stated = file.flows(flows)?;
        let mut statements = Vec::new();
        for (name, mut transaction) in stated.clone() {
            let known = self.transactions.get(&name).map(|filed| &filed.entry);
            let before = known.and_then(|known| known.transaction.as_ref());
            transaction.currency = before.and_then(|before| before.currency);
            transaction.account_id = before.and_then(|before| before.account_id.clone());
            if before == Some(&transaction) {
                continue;
            }
            let revision = known.map_or(Ok(0), |known| next(known.revision))?;
            statements.push(Statement::Transaction(TransactionEntry {
                transaction_id: name,
                revision,
                transaction: Some(transaction),
            }));
        }
        let days: BTreeSet<NaiveDate> = flows.iter().map(|flow| flow.date).collect();
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(statements) };
        let prefix = format!("flow:{}:", file.name);
        for known in self.named(&prefix).filter(|known| !stated.contains_key(&known.transaction_id)) {
            let date = known.transaction.as_ref().map(|transaction| transaction.date);
            if date.is_some_and(|date| (*first..=*last).contains(&date)) {
                statements.push(Statement::Transaction(TransactionEntry {
                    transaction_id: known.transaction_id.clone(),
                    revision: next(known.revision)?,
                    transaction: None,
                }));
            }
        }
        Ok(statements)
    }

    /// Takes a statement in.
    ///
    /// # Errors
    ///
    /// [`ConflictingRevision`].
    pub fn merge(&mut self, statement: Statement) -> Result<Merge, ConflictingRevision> {
        match statement {
            Statement::Valuation(entry) => self.merge_valuation(entry),
            Statement::Transaction(entry) => self.merge_transaction(entry),
            Statement::Mark(FileMark { entry, month }) => {
                let name = entry.transaction_id.clone();
                let before = self.transactions.insert(name, Filed { month: month.clone(), entry });
                self.touched.extend(before.map(|before| before.month));
                self.touched.insert(month);
                Ok(Merge::Changed)
            }
        }
    }
}

impl Statement {
    /// The month that grows by it; none for what is removed.
    #[must_use]
    pub fn month(&self) -> Option<String> {
        let date = match self {
            Self::Valuation(entry) => Some(entry.date),
            Self::Transaction(entry) => entry.transaction.as_ref().map(|transaction| transaction.date),
            Self::Mark(mark) => return Some(mark.month.clone()),
        };
        date.map(super::month_of)
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
