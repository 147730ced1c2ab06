//! A caller whose token was verified.

use perf_core::model::Identifier;
use thiserror::Error;

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
    /// assert_eq!(api_handler::auth::Scope::Read.word(), "performance:read");
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
/// use api_handler::auth::{Scope, Scopes};
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

/// A request names a tenant that the caller may not act for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the request names another client")]
pub struct OtherTenant;

impl Caller {
    /// The tenant of a request: the one that it names, else the caller's own.
    ///
    /// # Errors
    ///
    /// [`OtherTenant`] where it names another one and the caller is no administrator.
    pub fn tenant(&self, named: Option<&Identifier>) -> Result<Identifier, OtherTenant> {
        match named {
            Some(named) if *named != self.client_id && !self.scopes.allow(Scope::Admin) => Err(OtherTenant),
            named => Ok(named.unwrap_or(&self.client_id).clone()),
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
        assert_eq!(user.tenant(Some(&other)), Err(OtherTenant));
        assert_eq!(caller("performance:admin").tenant(Some(&other)), Ok(other));
    }
}
