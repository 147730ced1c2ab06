use async_trait::async_trait;

use super::PortError;

/// What a reader finds under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobRead {
    /// The whole content.
    Found(Vec<u8>),
    /// More bytes than were asked for; none of them were kept.
    TooLarge,
    /// Nothing.
    Missing,
}

/// Reads the objects of one bucket.
#[async_trait]
pub trait BlobReader: Send + Sync {
    /// The object of this key, if it has at most `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn read_blob(&self, key: &str, bytes_max: u64) -> Result<BlobRead, PortError>;
}

/// Writes objects of one bucket.
#[async_trait]
pub trait BlobWriter: Send + Sync {
    /// Stores an object, in place of the one that had its key.
    ///
    /// # Errors
    ///
    /// [`PortError`].
    async fn put_blob(&self, key: &str, content: &[u8]) -> Result<(), PortError>;
}
