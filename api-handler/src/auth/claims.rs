//! What a token says, checked against what is expected of it.

use perf_core::model::Identifier;
use perf_core::services::{Caller, Scopes};
use serde::{Deserialize, Deserializer};

use super::verify::TokenError;

/// How far the clocks of issuer and verifier may lie apart.
pub const LEEWAY_SECONDS: i64 = 10;
/// Longest time for which a token is accepted (one day).
pub const TOKEN_LIFETIME_SECONDS_MAX: i64 = 86_400;

/// The claims that are looked at; all others are ignored.
#[derive(Deserialize)]
pub(super) struct Claims {
    exp: Option<NumericDate>,
    iat: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
}

/// What the claims must say.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) issuer: String,
    pub(super) audience: String,
}

/// Seconds since 1970; a fraction of a second is dropped.
#[derive(Clone, Copy)]
struct NumericDate(i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds.floor() as i64));
        whole.map(Self).ok_or_else(|| serde::de::Error::custom("expected seconds since 1970"))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Several(several) => several.iter().any(|one| one == name),
        }
    }
}

impl Claims {
    /// The caller, if everything that is required is there and right at `now`.
    pub(super) fn check(self, expected: &Expected, now: i64) -> Result<Caller, TokenError> {
        let expires_at = self.time(now)?;
        if self.iss.ok_or(TokenError::MissingClaim("iss"))? != expected.issuer {
            return Err(TokenError::WrongIssuer);
        }
        if !self.aud.ok_or(TokenError::MissingClaim("aud"))?.contains(&expected.audience) {
            return Err(TokenError::WrongAudience);
        }
        let subject = self.sub.filter(|sub| !sub.is_empty()).ok_or(TokenError::MissingClaim("sub"))?;
        let client_id = self.client_id.ok_or(TokenError::MissingClaim("client_id"))?;
        let client_id: Identifier = client_id.parse().map_err(|_| TokenError::InvalidClient)?;
        let scopes = Scopes::from_claim(self.scope.as_deref().unwrap_or_default());
        Ok(Caller { client_id, subject, scopes, expires_at })
    }

    /// `exp`, if the token is valid now and not for too long.
    ///
    /// `iat` is not required: what is left until `exp` bounds the lifetime too.
    fn time(&self, now: i64) -> Result<i64, TokenError> {
        let NumericDate(exp) = self.exp.ok_or(TokenError::MissingClaim("exp"))?;
        if exp.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(TokenError::Expired);
        }
        let starts = [self.nbf, self.iat].into_iter().flatten();
        if starts.into_iter().any(|NumericDate(start)| start > now.saturating_add(LEEWAY_SECONDS)) {
            return Err(TokenError::NotYetValid);
        }
        let issued_at = self.iat.map_or(now.saturating_add(LEEWAY_SECONDS), |NumericDate(iat)| iat);
        if exp.saturating_sub(issued_at) > TOKEN_LIFETIME_SECONDS_MAX {
            return Err(TokenError::LifetimeTooLong);
        }
        Ok(exp)
    }
}
