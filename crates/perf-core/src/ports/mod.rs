//! What the use cases need of the world: one small trait for each capability, so
//! that a function asks for, and is permitted, no more than it uses.
//!
//! Every adapter runs the same tests (the crate `port-suite`).

mod blobs;
mod error;
mod ledger;
mod queue;
mod requests;
mod results;
mod time_series;

use chrono::{DateTime, Utc};

pub use blobs::{BlobRead, BlobReader, BlobWriter};
pub use error::PortError;
pub use ledger::{Commit, LedgerCommit, LedgerReader, LedgerWriter, StoredLedger};
pub use queue::{DeadLetter, DeadLetters, Delivery, QueueReceiver, QueueSender};
pub use requests::{
    Begun, Idempotency, IdempotencyKey, ItemOutcome, Itemized, NewRequest, RequestLog, RequestReader,
    RequestStatus, SavedResponse,
};
pub use results::{
    CurrentPosition, CurrentResults, Page, Position, PutOutcome, ResultFilter, ResultReader, ResultRow,
    ResultWriter, Slice,
};
pub use time_series::{SERIES_METRICS, SeriesRecord, TimeSeriesWriter};

/// The time of day and year.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// Names that nothing else has.
pub trait Ids: Send + Sync {
    /// A new one.
    fn new_id(&self) -> String;
}
