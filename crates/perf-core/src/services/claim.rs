//! Messages that are too large for the queue: the text goes to a bucket, a claim of
//! it to the queue.

use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::problem_of;
use crate::model::Problem;
use crate::ports::{BlobRead, BlobReader, BlobWriter, PortError, QueueSender};

/// Largest body that is sent as it is: a queue may allow no more than 256 KiB.
pub const INLINE_BYTES_MAX: usize = 200 << 10;
/// Largest body that is sent at all.
pub const CLAIM_BYTES_MAX: u64 = 16 << 20;

/// Where a text is kept, and how to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    bucket: String,
    key: String,
    /// Bytes.
    length: u64,
    /// Of the bytes, in lower-case hexadecimal digits.
    sha256: String,
}

#[derive(Serialize)]
struct ClaimMessage {
    claim: Claim,
}

/// Sends messages of any size.
///
/// A claim's key is the digest of the text: sending again, or the same text twice,
/// needs one object.
#[derive(Clone)]
pub struct ClaimCheck {
    queue: Arc<dyn QueueSender>,
    blobs: Arc<dyn BlobWriter>,
    bucket: String,
}

/// Where claims are redeemed.
#[derive(Clone)]
pub struct ClaimPorts {
    /// The one bucket that claims may name.
    pub bucket: String,
    /// Reads it.
    pub reader: Arc<dyn BlobReader>,
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl ClaimCheck {
    /// A sender that keeps large bodies in the bucket of this name, which `blobs`
    /// writes to.
    #[must_use]
    pub fn new(queue: Arc<dyn QueueSender>, blobs: Arc<dyn BlobWriter>, bucket: String) -> Self {
        Self { queue, blobs, bucket }
    }

    async fn claim(&self, body: &str) -> Result<String, PortError> {
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if length > CLAIM_BYTES_MAX {
            return Err(PortError::permanent(format!("a message of {length} bytes is too large")));
        }
        let sha256 = digest(body.as_bytes());
        let claim =
            Claim { bucket: self.bucket.clone(), key: format!("claims/{sha256}.json"), length, sha256 };
        self.blobs.put_blob(&claim.key, body.as_bytes()).await?;
        serde_json::to_string(&ClaimMessage { claim })
            .map_err(|error| PortError::permanent(error.to_string()))
    }
}

#[async_trait]
impl QueueSender for ClaimCheck {
    async fn send(&self, bodies: &[String]) -> Result<(), PortError> {
        let mut messages = Vec::with_capacity(bodies.len());
        for body in bodies {
            let is_inline = body.len() <= INLINE_BYTES_MAX;
            messages.push(if is_inline { body.clone() } else { self.claim(body).await? });
        }
        self.queue.send(&messages).await
    }
}

impl ClaimPorts {
    /// The text that a claim stands for.
    ///
    /// # Errors
    ///
    /// 422 for a claim of another bucket, of something that is not there, or of
    /// another text than the one there; 503 where the bucket cannot be reached.
    pub(super) async fn redeem(&self, claim: &Claim) -> Result<String, Problem> {
        if claim.bucket != self.bucket {
            return Err(Problem::field("/claim/bucket", "foreign_bucket", "expected our own bucket"));
        }
        if claim.length > CLAIM_BYTES_MAX {
            let message = format!("expected at most {CLAIM_BYTES_MAX} bytes");
            return Err(Problem::field("/claim/length", "too_large", message));
        }
        let other = || Problem::field("/claim", "claim_mismatch", "the object is not what the claim says");
        let read = self.reader.read_blob(&claim.key, claim.length).await;
        let content = match read.map_err(|error| problem_of(&error))? {
            BlobRead::Found(content) => content,
            BlobRead::TooLarge => return Err(other()),
            BlobRead::Missing => {
                return Err(Problem::field("/claim/key", "claim_missing", "there is no such object"));
            }
        };
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if length != claim.length || digest(&content) != claim.sha256 {
            return Err(other());
        }
        String::from_utf8(content).map_err(|_| other())
    }
}
