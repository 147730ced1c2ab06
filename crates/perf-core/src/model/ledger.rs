use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use super::{Identifier, Timing};
use crate::number::Exact;

/// What a transaction is; with the entity's level it gives the amount's sign and
/// whether the money crosses the entity's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    /// Money or securities put in by the owner.
    Deposit,
    /// The same from another entity.
    TransferIn,
    /// Money or securities taken out by the owner.
    Withdrawal,
    /// The same to another entity.
    TransferOut,
    /// A purchase.
    Buy,
    /// A sale.
    Sell,
    /// Income from a share.
    Dividend,
    /// Income from a loan or deposit.
    Interest,
    /// A cost.
    Fee,
    /// A tax.
    Tax,
}

/// A currency: three capital letters (ISO 4217).
///
/// ```
/// use perf_core::model::CurrencyCode;
/// assert_eq!("EUR".parse::<CurrencyCode>()?.to_string(), "EUR");
/// assert!("eur".parse::<CurrencyCode>().is_err());
/// # Ok::<(), perf_core::model::InvalidCurrency>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CurrencyCode([u8; 3]);

/// A text that cannot be a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected three capital letters such as EUR")]
pub struct InvalidCurrency;

impl FromStr for CurrencyCode {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(InvalidCurrency) }
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a transaction says, unless it is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The business date.
    pub date: NaiveDate,
    /// What it is.
    pub kind: TransactionKind,
    /// Magnitude, not negative.
    pub amount: Exact,
    /// Unknown where absent: then as the rest of the ledger.
    pub currency: Option<CurrencyCode>,
    /// When in its day it happens; after the close where absent.
    pub timing: Option<Timing>,
    /// The account that the entity belongs to.
    pub account_id: Option<Identifier>,
}

/// A transaction under its name, as one revision of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionEntry {
    /// Its name within the entity.
    pub transaction_id: Identifier,
    /// The highest one wins.
    pub revision: u32,
    /// `None`: removed.
    pub transaction: Option<Transaction>,
}

/// What a valuation says, unless it is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valuation {
    /// Money.
    pub value: Exact,
    /// Unknown where absent: then as the rest of the ledger.
    pub currency: Option<CurrencyCode>,
}

/// A valuation on its date, as one revision of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuationEntry {
    /// The business date.
    pub date: NaiveDate,
    /// The highest one wins.
    pub revision: u32,
    /// `None`: removed.
    pub valuation: Option<Valuation>,
}

/// The part of a ledger that is stored as one item. Removed transactions whose
/// date nobody knows are kept under the month `void`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerMonth {
    /// `YYYY-MM`, or `void`.
    pub month: String,
    /// In date order, each date once.
    pub valuations: Vec<ValuationEntry>,
    /// In the order of their names, each name once.
    pub transactions: Vec<TransactionEntry>,
}
