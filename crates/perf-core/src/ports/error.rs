use std::time::Duration;

use crate::retry::{Classify, RetryClass};

/// A capability that failed. The text is for our own eyes: it may name tables and
/// hosts, and must not reach a caller.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct PortError {
    class: RetryClass,
    retry_after: Option<Duration>,
    detail: String,
}

impl PortError {
    /// The dependency asks for fewer calls.
    #[must_use]
    pub fn throttled(detail: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self { class: RetryClass::Throttled, retry_after, detail: detail.into() }
    }

    /// The same call may succeed later.
    #[must_use]
    pub fn transient(detail: impl Into<String>) -> Self {
        Self { class: RetryClass::Transient, retry_after: None, detail: detail.into() }
    }

    /// The same call will fail again.
    #[must_use]
    pub fn permanent(detail: impl Into<String>) -> Self {
        Self { class: RetryClass::Permanent, retry_after: None, detail: detail.into() }
    }
}

impl Classify for PortError {
    fn retry_class(&self) -> RetryClass {
        self.class
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
