//! Results, ledgers, state, queue and objects in one SQLite file.
//!
//! The file is written ahead (WAL) and synced at every commit, so what has been
//! acknowledged survives a crash of process or machine. Several processes may use
//! it at once; a writer waits for another one for up to five seconds.

mod blobs;
mod idempotency;
mod ledger;
mod queue;
mod requests;
mod results;
mod schema;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use perf_core::ports::{Clock, PortError};
use rusqlite::{Connection, ErrorCode};

pub use blobs::Bucket;
pub use queue::{MessageState, QueueSettings};

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Every port on one SQLite file.
#[derive(Clone)]
pub struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
    clock: Arc<dyn Clock>,
    queue: QueueSettings,
}

impl SqliteStore {
    /// Opens a file; makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the file cannot be opened, is no such file, or was made
    /// by a newer version.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, queue: QueueSettings) -> Result<Self, PortError> {
        Self::new(Connection::open(path), clock, queue)
    }

    /// A store that is gone with its last clone.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub fn in_memory(clock: Arc<dyn Clock>, queue: QueueSettings) -> Result<Self, PortError> {
        Self::new(Connection::open_in_memory(), clock, queue)
    }

    fn new(
        connection: rusqlite::Result<Connection>,
        clock: Arc<dyn Clock>,
        queue: QueueSettings,
    ) -> Result<Self, PortError> {
        let mut connection = connection.map_err(Failure::from)?;
        prepare(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), clock, queue })
    }

    /// Runs a piece of work on a thread that may wait for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, PortError> {
        let shared = Arc::clone(&self.connection);
        let blocking = move || {
            // A transaction that a panic interrupted has been rolled back.
            let mut connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        };
        let outcome = tokio::task::spawn_blocking(blocking).await;
        let outcome = outcome.map_err(|error| PortError::transient(error.to_string()))?;
        outcome.map_err(PortError::from)
    }
}

fn prepare(connection: &mut Connection) -> Result<(), Failure> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    schema::migrate(connection)
}

/// Why a piece of work failed.
enum Failure {
    Sqlite(rusqlite::Error),
    Stored(String),
}

impl Failure {
    /// What is stored cannot be read.
    fn stored(detail: impl std::fmt::Display) -> Self {
        Self::Stored(format!("unreadable in the store: {detail}"))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Failure> for PortError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stored(detail) => Self::permanent(detail),
            Failure::Sqlite(error) => match error.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure,
                ) => Self::transient(error.to_string()),
                _ => Self::permanent(error.to_string()),
            },
        }
    }
}

fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn time(millis: i64) -> Result<DateTime<Utc>, Failure> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| Failure::stored("a time"))
}

/// A revision as SQLite holds it: beyond its range none is ever reached.
fn as_stored(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn as_revision(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
