//! Objects in buckets.

use async_trait::async_trait;
use perf_core::ports::{BlobRead, BlobReader, BlobWriter, PortError};
use rusqlite::{OptionalExtension, params};

use super::{Failure, SqliteStore};

/// One bucket of a store.
#[derive(Clone)]
pub struct Bucket {
    store: SqliteStore,
    name: &'static str,
}

impl SqliteStore {
    /// The bucket of this name.
    #[must_use]
    pub fn bucket(&self, name: &'static str) -> Bucket {
        Bucket { store: self.clone(), name }
    }
}

impl Bucket {
    /// Removes an object, if there is one.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    pub async fn remove_blob(&self, key: &str) -> Result<(), PortError> {
        const REMOVE: &str = "DELETE FROM blobs WHERE bucket = ?1 AND key = ?2";
        let (name, key) = (self.name, key.to_owned());
        let remove = move |connection: &mut rusqlite::Connection| {
            connection.prepare_cached(REMOVE)?.execute(params![name, key])?;
            Ok(())
        };
        self.store.run(remove).await
    }
}

#[async_trait]
impl BlobReader for Bucket {
    async fn read_blob(&self, key: &str, bytes_max: u64) -> Result<BlobRead, PortError> {
        const READ: &str = "SELECT CASE WHEN length(content) <= ?3 THEN content END FROM blobs
            WHERE bucket = ?1 AND key = ?2";
        let (name, key) = (self.name, key.to_owned());
        let limit = i64::try_from(bytes_max).unwrap_or(i64::MAX);
        let read = move |connection: &mut rusqlite::Connection| {
            let mut statement = connection.prepare_cached(READ)?;
            let found =
                statement.query_row(params![name, key, limit], |row| row.get::<_, Option<Vec<u8>>>(0));
            Ok::<_, Failure>(match found.optional()? {
                Some(Some(content)) => BlobRead::Found(content),
                Some(None) => BlobRead::TooLarge,
                None => BlobRead::Missing,
            })
        };
        self.store.run(read).await
    }
}

#[async_trait]
impl BlobWriter for Bucket {
    async fn put_blob(&self, key: &str, content: &[u8]) -> Result<(), PortError> {
        const PUT: &str = "INSERT INTO blobs (bucket, key, content) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET content = excluded.content";
        let (name, key, content) = (self.name, key.to_owned(), content.to_vec());
        let put = move |connection: &mut rusqlite::Connection| {
            connection.prepare_cached(PUT)?.execute(params![name, key, content])?;
            Ok(())
        };
        self.store.run(put).await
    }
}
