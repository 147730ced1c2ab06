//! Objects of one bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use perf_core::ports::{BlobRead, BlobReader, BlobWriter, PortError};

use crate::clients::Lazy;
use crate::error::port_error;

/// Codes of what is not there. Without permission to list the bucket S3 answers
/// `AccessDenied` instead, which stays an error.
const MISSING: [&str; 2] = ["NoSuchKey", "NotFound"];

/// One bucket; no other one is read or written through it.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Lazy<Client>,
    name: String,
}

impl Bucket {
    /// The bucket of this name.
    #[must_use]
    pub fn new(client: Lazy<Client>, name: String) -> Self {
        Self { client, name }
    }
}

#[async_trait]
impl BlobReader for Bucket {
    async fn read_blob(&self, key: &str, bytes_max: u64) -> Result<BlobRead, PortError> {
        let answer = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if error.code().is_some_and(|code| MISSING.contains(&code)) => {
                return Ok(BlobRead::Missing);
            }
            Err(error) => return Err(port_error("get object", &error)),
        };
        let is_too_large = |length: u64| length > bytes_max;
        if answer.content_length().and_then(|length| u64::try_from(length).ok()).is_some_and(is_too_large) {
            return Ok(BlobRead::TooLarge);
        }
        // The length that was announced is a promise; the bytes are counted.
        let (mut body, mut content) = (answer.body, Vec::new());
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| PortError::transient(format!("get object: {error}")))?;
            content.extend_from_slice(&chunk);
            if is_too_large(u64::try_from(content.len()).unwrap_or(u64::MAX)) {
                return Ok(BlobRead::TooLarge);
            }
        }
        Ok(BlobRead::Found(content))
    }
}

#[async_trait]
impl BlobWriter for Bucket {
    async fn put_blob(&self, key: &str, content: &[u8]) -> Result<(), PortError> {
        let body = ByteStream::from(content.to_vec());
        let put = self.client.put_object().bucket(&self.name).key(key).body(body).send().await;
        put.map(drop).map_err(|error| port_error("put object", &error))
    }
}
