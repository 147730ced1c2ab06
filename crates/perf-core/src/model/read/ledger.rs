//! Transactions and valuations: members of events, and rows of a stored month.

use crate::model::{
    CurrencyCode, LedgerMonth, Problem, Transaction, TransactionEntry, Valuation, ValuationEntry,
};

use super::draft::Given;
use super::fault::{self, Fault};
use super::json::{Fields, Parsed, Reader};

/// Most entries of a kind in a stored month.
const MAX_MONTH_ENTRIES: usize = 1_000_000;

const MONTH: Fields = Fields { required: &["month", "valuations", "transactions"], optional: &[] };
const TRANSACTION: Fields = Fields {
    required: &["transaction_id"],
    optional: &["date", "kind", "amount", "currency", "timing", "account_id", "revision", "void"],
};
const VALUATION: Fields =
    Fields { required: &["date"], optional: &["value", "currency", "revision", "void"] };

/// A transaction as far as it could be read.
#[derive(Default)]
pub(super) struct TransactionDraft {
    transaction_id: Option<crate::model::Identifier>,
    date: Given<chrono::NaiveDate>,
    kind: Given<crate::model::TransactionKind>,
    amount: Given<crate::number::Exact>,
    currency: Option<CurrencyCode>,
    timing: Option<crate::model::Timing>,
    account_id: Option<crate::model::Identifier>,
    revision: Option<u32>,
    void: Option<bool>,
}

fn currency(reader: &mut Reader<'_>) -> Parsed<Option<CurrencyCode>> {
    reader.string(|text| {
        text.parse().map_err(|_| {
            let message = format!("expected three capital letters such as EUR, not {}", fault::quoted(text));
            Fault::new("invalid_currency", message)
        })
    })
}

impl TransactionDraft {
    /// Reads one member, if it is one of a transaction's.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, field: &str) -> Parsed<()> {
        match field {
            "transaction_id" => self.transaction_id = reader.identifier()?,
            "date" => self.date = Some(reader.date()?),
            "kind" => self.kind = Some(reader.choice()?),
            "amount" => self.amount = Some(reader.magnitude()?),
            "currency" => self.currency = currency(reader)?,
            "timing" => self.timing = reader.choice()?,
            "account_id" => self.account_id = reader.identifier()?,
            "revision" => self.revision = reader.whole_number(0..=u32::MAX)?,
            _ => self.void = reader.boolean()?,
        }
        Ok(())
    }

    /// The transaction; what only a void one may lack is noted.
    pub(super) fn finish(self, reader: &mut Reader<'_>) -> Option<TransactionEntry> {
        let transaction_id = self.transaction_id?;
        let revision = self.revision.unwrap_or_default();
        if self.void == Some(true) {
            return Some(TransactionEntry { transaction_id, revision, transaction: None });
        }
        for (absent, name) in
            [(self.date.is_none(), "date"), (self.kind.is_none(), "kind"), (self.amount.is_none(), "amount")]
        {
            if absent {
                reader.missing(name);
            }
        }
        let transaction = Transaction {
            date: self.date??,
            kind: self.kind??,
            amount: self.amount??,
            currency: self.currency,
            timing: self.timing,
            account_id: self.account_id,
        };
        Some(TransactionEntry { transaction_id, revision, transaction: Some(transaction) })
    }
}

/// A valuation as far as it could be read.
#[derive(Default)]
pub(super) struct ValuationDraft {
    date: Option<chrono::NaiveDate>,
    value: Given<crate::number::Exact>,
    currency: Option<CurrencyCode>,
    revision: Option<u32>,
    void: Option<bool>,
}

impl ValuationDraft {
    /// Reads one member, if it is one of a valuation's.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, field: &str) -> Parsed<()> {
        match field {
            "date" => self.date = reader.date()?,
            "value" => self.value = Some(reader.decimal()?),
            "currency" => self.currency = currency(reader)?,
            "revision" => self.revision = reader.whole_number(0..=u32::MAX)?,
            _ => self.void = reader.boolean()?,
        }
        Ok(())
    }

    /// The valuation; what only a void one may lack is noted.
    pub(super) fn finish(self, reader: &mut Reader<'_>) -> Option<ValuationEntry> {
        let date = self.date?;
        let revision = self.revision.unwrap_or_default();
        if self.void == Some(true) {
            return Some(ValuationEntry { date, revision, valuation: None });
        }
        if self.value.is_none() {
            reader.missing("value");
        }
        let valuation = Valuation { value: self.value??, currency: self.currency };
        Some(ValuationEntry { date, revision, valuation: Some(valuation) })
    }
}

/// Reads a stored month of a ledger.
///
/// # Errors
///
/// 400 where the text is not JSON; 422 with everything that is wrong otherwise.
///
/// ```
/// use perf_core::model::read::ledger_month;
/// let text = br#"{"month": "2023-01", "valuations": [{"date": "2023-01-31", "value": "10.0"}], "transactions": []}"#;
/// let month = ledger_month(text)?;
/// assert_eq!(ledger_month(serde_json::to_string(&month)?.as_bytes())?, month);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ledger_month(text: &[u8]) -> Result<LedgerMonth, Problem> {
    let (month, errors) = Reader::document(text, |reader| {
        let mut month = LedgerMonth::default();
        reader.object(&MONTH, |reader, field| {
            match field {
                "month" => month.month = reader.label()?.unwrap_or_default(),
                "valuations" => month.valuations = valuations(reader)?,
                _ => month.transactions = transactions(reader)?,
            }
            Ok(())
        })?;
        Ok(month)
    })?;
    if errors.is_empty() { Ok(month) } else { Err(errors.problem()) }
}

fn valuations(reader: &mut Reader<'_>) -> Parsed<Vec<ValuationEntry>> {
    let mut entries = Vec::new();
    reader.array(MAX_MONTH_ENTRIES, |reader| {
        let mut draft = ValuationDraft::default();
        reader.object(&VALUATION, |reader, field| draft.read(reader, field))?;
        entries.extend(draft.finish(reader));
        Ok(())
    })?;
    Ok(entries)
}

fn transactions(reader: &mut Reader<'_>) -> Parsed<Vec<TransactionEntry>> {
    let mut entries = Vec::new();
    reader.array(MAX_MONTH_ENTRIES, |reader| {
        let mut draft = TransactionDraft::default();
        reader.object(&TRANSACTION, |reader, field| draft.read(reader, field))?;
        entries.extend(draft.finish(reader));
        Ok(())
    })?;
    Ok(entries)
}
