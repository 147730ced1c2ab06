//! What the Lambda functions share: how they start, and the use cases over AWS.

mod assembly;
mod metrics;
mod start;
mod system;

pub use assembly::{Adapters, MESSAGE_RECEIVES_MAX};
pub use start::start;
pub use system::{RandomIds, SystemClock};
