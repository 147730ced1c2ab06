//! perf-core's ports on AWS: tables, queue, buckets, time series, secrets and keys.
//!
//! Every client is made from one configuration and shares one HTTP client. Calls
//! are repeated by the SDK's own retries and by nothing else.

mod cached;
mod clients;
mod dynamodb;
mod error;
mod keys;
mod s3;
mod sqs;
mod timestream;

pub use cached::{Cached, Source};
pub use clients::{Clients, Lazy};
pub use dynamodb::{LedgerTable, ResultsTable, StateTable};
pub use keys::{Jwks, KEY_SET_BYTES_MAX, SecretSource, TokenSecrets};
pub use s3::Bucket;
pub use sqs::Queue;
pub use timestream::TimestreamTable;
