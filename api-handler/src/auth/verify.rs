//! From a token to a caller.

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use perf_core::services::Caller;
use thiserror::Error;

use super::claims::{Claims, Expected};
use super::keys::{Key, KeyError, Keys};

/// Longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8_192;
/// Kinds of token that are access tokens (RFC 7519, RFC 9068).
const ACCESS_TOKEN_TYPES: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// Why a token is refused. The texts are for the log: a caller learns only
/// whether the token has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// Over [`TOKEN_BYTES_MAX`].
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT, or a claim of the wrong type.
    #[error("the token is malformed")]
    Malformed,
    /// Another kind of token, or one that asks for what we do not understand.
    #[error("the token's header is not that of an access token")]
    UnsupportedHeader,
    /// Not the algorithm of the configured key.
    #[error("the token is signed with an algorithm that is not configured")]
    WrongAlgorithm,
    /// No configured key has the header's `kid`.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// Not signed by us.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// A required claim is missing.
    #[error("the token has no {0}")]
    MissingClaim(&'static str),
    /// From somebody else.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// For somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// No longer valid.
    #[error("the token has expired")]
    Expired,
    /// Valid later.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Valid for longer than is accepted.
    #[error("the token's lifetime is too long")]
    LifetimeTooLong,
    /// `client_id` is not an identifier.
    #[error("the token's client_id is not an identifier")]
    InvalidClient,
}

/// Why a request has no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// No bearer token came with it.
    #[error("the request has no bearer token")]
    NoToken,
    /// The token that came with it is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Finds out who sent a request.
pub trait Authenticate: Send + Sync {
    /// The caller, at `now` in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Denied`] where nobody vouches for the request.
    fn authenticate(&self, request: &Parts, now: i64) -> Result<Caller, Denied>;
}

/// Verifies tokens.
///
/// ```
/// use api_handler::auth::{Keys, NewToken, TokenError, Verifier};
/// use perf_core::config::Secret;
///
/// let secret = Secret::new("0123456789abcdef0123456789abcdef");
/// let token = NewToken {
///     client_id: "acme".parse()?,
///     subject: "jo",
///     scope: "performance:read",
///     issuer: "https://login.example.com",
///     audience: "performance",
///     issued_at: 1_700_000_000,
///     ttl_seconds: 3_600,
/// }
/// .sign(&secret)?;
///
/// let keys = Keys::hs256(&secret, None)?;
/// let verifier = Verifier::new(keys, "https://login.example.com", "performance")?;
/// let caller = verifier.verify(&token, 1_700_000_060)?;
/// assert_eq!(caller.client_id.as_str(), "acme");
/// assert_eq!(verifier.verify(&token, 1_700_004_000), Err(TokenError::Expired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Verifier {
    keys: Keys,
    expected: Expected,
}

impl Verifier {
    /// A verifier of tokens from `issuer` for `audience`.
    ///
    /// # Errors
    ///
    /// [`KeyError::MissingExpectation`] where either is empty.
    pub fn new(keys: Keys, issuer: &str, audience: &str) -> Result<Self, KeyError> {
        if issuer.is_empty() || audience.is_empty() {
            return Err(KeyError::MissingExpectation);
        }
        let expected = Expected { issuer: issuer.to_owned(), audience: audience.to_owned() };
        Ok(Self { keys, expected })
    }

    /// The caller that a token names, at `now` in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`TokenError`] where the token is not one of ours, or not valid now.
    pub fn verify(&self, token: &str, now: i64) -> Result<Caller, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        check_header(&header)?;
        let mut outcome = Err(TokenError::UnknownKey);
        for key in self.keys.candidates(header.kid.as_deref()) {
            outcome = signed_claims(token, key);
            if outcome.is_ok() {
                break;
            }
        }
        outcome?.check(&self.expected, now)
    }
}

impl Authenticate for Verifier {
    fn authenticate(&self, request: &Parts, now: i64) -> Result<Caller, Denied> {
        let mut values = request.headers.get_all(AUTHORIZATION).iter();
        // A second header might be the one that somebody else has looked at.
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Denied::NoToken);
        };
        let token = value.to_str().ok().and_then(bearer).ok_or(Denied::NoToken)?;
        Ok(self.verify(token, now)?)
    }
}

pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// What the signature cannot tell: that the token means what we take it for.
fn check_header(header: &Header) -> Result<(), TokenError> {
    let known = |name: &String| ACCESS_TOKEN_TYPES.iter().any(|known| name.eq_ignore_ascii_case(known));
    if header.typ.as_ref().is_some_and(|name| !known(name)) || header.crit.is_some() {
        return Err(TokenError::UnsupportedHeader);
    }
    Ok(())
}

/// The claims, if `key` signed them. The library would check them against the
/// system's clock, so it checks the signature only.
fn signed_claims(token: &str, key: &Key) -> Result<Claims, TokenError> {
    let mut signature_only = Validation::new(key.algorithm);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_nbf = false;
    signature_only.validate_aud = false;
    let decoded = decode::<Claims>(token, &key.decoding, &signature_only);
    decoded.map(|token| token.claims).map_err(|error| match error.kind() {
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        ErrorKind::InvalidSignature => TokenError::WrongSignature,
        _ => TokenError::Malformed,
    })
}

#[cfg(test)]
mod tests;
