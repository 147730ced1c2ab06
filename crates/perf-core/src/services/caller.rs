use crate::model::{Identifier, Problem};
use crate::ports::PortError;
use crate::retry::{Classify, RetryClass};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Tenant of the token.
    pub client_id: Identifier,
    /// Whether other tenants may be named.
    pub is_admin: bool,
}

impl Caller {
    /// The tenant that a request is for: the one it names, the caller's own otherwise.
    ///
    /// # Errors
    ///
    /// 403 where it names another one and the caller is no administrator.
    ///
    /// ```
    /// use perf_core::services::Caller;
    /// let caller = Caller { client_id: "acme".parse()?, is_admin: false };
    /// assert_eq!(caller.tenant(None)?.as_str(), "acme");
    /// assert_eq!(caller.tenant(Some(&"other".parse()?)).expect_err("not ours").status, 403);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tenant(&self, named: Option<&Identifier>) -> Result<Identifier, Problem> {
        match named {
            Some(other) if *other != self.client_id && !self.is_admin => {
                Err(Problem::forbidden("the request names another client"))
            }
            Some(named) => Ok(named.clone()),
            None => Ok(self.client_id.clone()),
        }
    }
}

/// What a caller is told of a failed capability: nothing of its text.
///
/// ```
/// use perf_core::ports::PortError;
/// use perf_core::services::problem_of;
/// assert_eq!(problem_of(&PortError::transient("table results is locked")).status, 503);
/// assert_eq!(problem_of(&PortError::permanent("table results is missing")).status, 500);
/// ```
#[must_use]
pub fn problem_of(error: &PortError) -> Problem {
    match error.retry_class() {
        RetryClass::Throttled | RetryClass::Transient => {
            tracing::warn!(%error, "capability unavailable");
            Problem::unavailable("a part of the system cannot be reached; send the same request again")
        }
        RetryClass::Permanent => {
            tracing::error!(%error, "capability failed");
            Problem::internal("a part of the system failed".to_owned())
        }
    }
}
