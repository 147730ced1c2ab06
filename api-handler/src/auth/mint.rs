//! Tokens made here, for development and for callers of one's own deployment.

use jsonwebtoken::{EncodingKey, Header, encode};
use perf_core::config::Secret;
use perf_core::model::Identifier;
use serde::Serialize;
use thiserror::Error;

use super::claims::TOKEN_LIFETIME_SECONDS_MAX;
use super::keys::SECRET_BYTES_MIN;

/// A token to be signed with HS256.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Tenant.
    pub client_id: Identifier,
    /// Who will use it.
    pub subject: &'a str,
    /// Scopes, spaces between them.
    pub scope: &'a str,
    /// `iss` that the verifier expects.
    pub issuer: &'a str,
    /// `aud` that the verifier expects.
    pub audience: &'a str,
    /// Now, in seconds since 1970.
    pub issued_at: i64,
    /// Seconds until it expires, at most [`TOKEN_LIFETIME_SECONDS_MAX`].
    pub ttl_seconds: i64,
}

/// Why a token is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MintError {
    /// No verifier would accept the secret.
    #[error("the token secret is shorter than {SECRET_BYTES_MIN} bytes")]
    ShortSecret,
    /// No verifier would accept the lifetime.
    #[error("a token's lifetime is 1 second to {TOKEN_LIFETIME_SECONDS_MAX} seconds")]
    Lifetime,
    /// The library gave up.
    #[error("the token cannot be signed")]
    Signing,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a Identifier,
    scope: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl NewToken<'_> {
    /// The signed token.
    ///
    /// # Errors
    ///
    /// [`MintError`] where no verifier would accept it.
    pub fn sign(&self, secret: &Secret) -> Result<String, MintError> {
        let key = secret.expose().as_bytes();
        if key.len() < SECRET_BYTES_MIN {
            return Err(MintError::ShortSecret);
        }
        if !(1..=TOKEN_LIFETIME_SECONDS_MAX).contains(&self.ttl_seconds) {
            return Err(MintError::Lifetime);
        }
        let claims = Claims {
            iss: self.issuer,
            aud: self.audience,
            sub: self.subject,
            client_id: &self.client_id,
            scope: self.scope,
            iat: self.issued_at,
            nbf: self.issued_at,
            exp: self.issued_at.saturating_add(self.ttl_seconds),
        };
        encode(&Header::default(), &claims, &EncodingKey::from_secret(key)).map_err(|_| MintError::Signing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SECRET, token};
    use super::*;

    #[test]
    fn tokens_that_nobody_would_accept_are_not_made() {
        let good = token();
        for ttl_seconds in [0, -1, TOKEN_LIFETIME_SECONDS_MAX + 1] {
            let signed = NewToken { ttl_seconds, ..good.clone() }.sign(&Secret::new(SECRET));
            assert_eq!(signed, Err(MintError::Lifetime));
        }
        assert_eq!(good.sign(&Secret::new(&SECRET[..31])), Err(MintError::ShortSecret));
    }
}
