use async_trait::async_trait;

use super::PortError;
use crate::model::{EntityKey, LedgerMonth};

/// A ledger as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredLedger {
    /// Raised by every commit; 0 where there has been none.
    pub revision: u64,
    /// In the order of their names.
    pub months: Vec<LedgerMonth>,
}

/// Months to be stored together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCommit {
    /// Whose ledger.
    pub entity: EntityKey,
    /// The revision that the months were made from.
    pub expected: u64,
    /// Each takes the place of the one of its name; an empty one removes it.
    pub months: Vec<LedgerMonth>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Stored as this revision, one above the expected one.
    Done(u64),
    /// The ledger has another revision than the expected one; nothing was stored.
    Conflict,
}

/// Reads ledgers.
#[async_trait]
pub trait LedgerReader: Send + Sync {
    /// The whole ledger of an entity, as one commit left it.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn read_ledger(&self, entity: &EntityKey) -> Result<StoredLedger, PortError>;
}

/// Changes ledgers.
#[async_trait]
pub trait LedgerWriter: Send + Sync {
    /// Stores all months and raises the revision, or does nothing at all.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn commit_ledger(&self, commit: &LedgerCommit) -> Result<Commit, PortError>;
}
