use async_trait::async_trait;
use chrono::NaiveDate;

use super::PortError;
use crate::model::{CompletedResult, EntityKey, EntityType, Identifier, WindowName};

/// A stored result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultRow {
    /// Place among the entity's results (the attribute `calculation_date`).
    pub sort_key: String,
    /// Whether it is the entity's current result of its window, and so listed
    /// under its client and its account.
    pub current: bool,
    /// Whether the ledger no longer has this result: kept so that an older
    /// computation cannot bring it back, and never listed.
    pub withdrawn: bool,
    /// The result.
    pub result: CompletedResult,
    /// When the row was first written, RFC 3339; kept on rewrite.
    pub created_at: String,
    /// When the row was last written.
    pub updated_at: String,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is stored.
    Written,
    /// A row made from a higher revision of the ledger was there.
    Outdated,
}

/// Writes results.
#[async_trait]
pub trait ResultWriter: Send + Sync {
    /// Writes each row where there is none, or where the row there was made from
    /// no higher revision of the ledger. Each row on its own: after an error some
    /// may have been written, and writing all again does no harm.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn put_results(&self, rows: &[ResultRow]) -> Result<Vec<PutOutcome>, PortError>;
}

/// Which results of an entity are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultFilter {
    /// Period's end on or after this day.
    pub from: Option<NaiveDate>,
    /// Period's end on or before this day.
    pub to: Option<NaiveDate>,
    /// This window only.
    pub time_period: Option<WindowName>,
}

/// A bounded part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<P> {
    /// Most rows.
    pub limit: u32,
    /// Begin after this position.
    pub after: Option<P>,
}

/// Rows, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<P> {
    /// At most as many as asked for; fewer do not mean that there are no more.
    pub rows: Vec<ResultRow>,
    /// `None` at the end of the list.
    pub next: Option<P>,
}

/// A place in the list of an entity's results: a sort key.
pub type Position = String;

/// A place in a list of current results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentPosition {
    /// Level of the entity.
    pub entity_type: EntityType,
    /// Name of the entity.
    pub entity_id: Identifier,
    /// The row's sort key.
    pub sort_key: String,
}

/// Reads results of one entity.
#[async_trait]
pub trait ResultReader: Send + Sync {
    /// The dated results, the newest period's end first.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn results_of(
        &self,
        entity: &EntityKey,
        filter: &ResultFilter,
        page: &Page<Position>,
    ) -> Result<Slice<Position>, PortError>;

    /// The rows of an entity's current results, one a window, withdrawn ones
    /// included.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn current_of(&self, entity: &EntityKey) -> Result<Vec<ResultRow>, PortError>;
}

/// Lists the current results of many entities.
#[async_trait]
pub trait CurrentResults: Send + Sync {
    /// Those of a client, in an order that is the store's and stays the same.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn current_of_client(
        &self,
        client_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError>;

    /// Those of a client's account, in such an order.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn current_of_account(
        &self,
        client_id: &Identifier,
        account_id: &Identifier,
        page: &Page<CurrentPosition>,
    ) -> Result<Slice<CurrentPosition>, PortError>;
}
