//! Who asks, and what the caller may do.

use crate::model::{Identifier, Problem};
use crate::ports::PortError;
use crate::retry::{Classify, RetryClass};

/// A permission that a token's `scope` grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read what is stored, and calculate without storing.
    Read,
    /// Store.
    Write,
    /// Both, for every tenant.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The word in a token.
    ///
    /// ```
    /// assert_eq!(perf_core::services::Scope::Read.word(), "performance:read");
    /// ```
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "performance:read",
            Self::Write => "performance:write",
            Self::Admin => "performance:admin",
        }
    }
}

/// A set of scopes.
///
/// ```
/// use perf_core::services::{Scope, Scopes};
/// let scopes = Scopes::from_claim("openid performance:read");
/// assert!(scopes.allow(Scope::Read) && !scopes.allow(Scope::Write));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    read: bool,
    write: bool,
    admin: bool,
}

impl Scopes {
    /// The scopes of a `scope` claim: words between spaces; unknown words grant nothing.
    #[must_use]
    pub fn from_claim(claim: &str) -> Self {
        let has = |scope: Scope| claim.split(' ').any(|word| word == scope.word());
        Self { read: has(Scope::Read), write: has(Scope::Write), admin: has(Scope::Admin) }
    }

    /// The set as a `scope` claim.
    ///
    /// ```
    /// use perf_core::services::Scopes;
    /// let claim = "performance:read performance:admin";
    /// assert_eq!(Scopes::from_claim(claim).to_claim(), claim);
    /// ```
    #[must_use]
    pub fn to_claim(self) -> String {
        let granted = [(self.read, Scope::Read), (self.write, Scope::Write), (self.admin, Scope::Admin)];
        let words = granted.into_iter().filter(|(is_granted, _)| *is_granted).map(|(_, scope)| scope.word());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Whether the set grants a scope; an administrator has every one.
    #[must_use]
    pub fn allow(self, scope: Scope) -> bool {
        let granted = match scope {
            Scope::Read => self.read,
            Scope::Write => self.write,
            Scope::Admin => self.admin,
        };
        granted || self.admin
    }
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Tenant.
    pub client_id: Identifier,
    /// The token's `sub`.
    pub subject: String,
    /// What the caller may do.
    pub scopes: Scopes,
    /// The token's `exp`, in seconds since 1970.
    pub expires_at: i64,
}

impl Caller {
    /// The tenant that a request is for: the one it names, the caller's own otherwise.
    ///
    /// # Errors
    ///
    /// 403 where it names another one and the caller is no administrator.
    ///
    /// ```
    /// use perf_core::services::{Caller, Scopes};
    /// let scopes = Scopes::from_claim("performance:read");
    /// let caller =
    ///     Caller { client_id: "acme".parse()?, subject: "jo".to_owned(), scopes, expires_at: 1_700_000_000 };
    /// assert_eq!(caller.tenant(None)?.as_str(), "acme");
    /// assert_eq!(caller.tenant(Some(&"other".parse()?)).expect_err("not ours").status, 403);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tenant(&self, named: Option<&Identifier>) -> Result<Identifier, Problem> {
        match named {
            Some(named) if *named != self.client_id && !self.scopes.allow(Scope::Admin) => {
                Err(Problem::forbidden("client_id names another client than the token: leave it out"))
            }
            named => Ok(named.unwrap_or(&self.client_id).clone()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(text: &str) -> Identifier {
        text.parse().unwrap()
    }

    fn caller(scope: &str) -> Caller {
        let scopes = Scopes::from_claim(scope);
        Caller { client_id: identifier("acme"), subject: "s".to_owned(), scopes, expires_at: 0 }
    }

    #[test]
    fn scopes_are_whole_words() {
        for claim in ["", "performance", "performance:reader", "PERFORMANCE:READ", "a,performance:read"] {
            assert_eq!(Scopes::from_claim(claim), Scopes::default(), "{claim}");
        }
        let both = Scopes::from_claim(" performance:write  performance:read");
        assert!(both.allow(Scope::Read) && both.allow(Scope::Write) && !both.allow(Scope::Admin));
    }

    #[test]
    fn administrator_may_do_everything() {
        let admin = Scopes::from_claim("performance:admin");
        assert!(Scope::ALL.iter().all(|scope| admin.allow(*scope)));
    }

    #[test]
    fn only_an_administrator_acts_for_another_tenant() {
        let (own, other) = (identifier("acme"), identifier("beta"));
        let user = caller("performance:read performance:write");
        assert_eq!(user.tenant(None), Ok(own.clone()));
        assert_eq!(user.tenant(Some(&own)), Ok(own));
        assert_eq!(user.tenant(Some(&other)).unwrap_err().status, 403);
        assert_eq!(caller("performance:admin").tenant(Some(&other)), Ok(other));
    }
}
