//! The keys that tokens are verified with.

use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use perf_core::config::Secret;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Fewest bytes of an HS256 secret: the size of the hash (RFC 7518, section 3.2).
pub const SECRET_BYTES_MIN: usize = 32;
/// Most keys taken from a JWKS document.
const JWKS_KEYS_MAX: usize = 100;
/// Fewest base64url characters of a modulus of 2,048 bits.
const MODULUS_CHARACTERS_MIN: usize = 342;

/// Keys that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A secret shorter than the hash.
    #[error("the token secret is shorter than {SECRET_BYTES_MIN} bytes")]
    ShortSecret,
    /// Not a JWKS document.
    #[error("the key set is not a JWKS document")]
    MalformedKeySet,
    /// More keys than anybody needs.
    #[error("the key set holds more than {JWKS_KEYS_MAX} keys")]
    TooManyKeys,
    /// Two keys of one name.
    #[error("two keys of the key set have the same kid")]
    AmbiguousKeySet,
    /// None that can verify RS256 or ES256.
    #[error("the key set holds no RS256 or ES256 key with a kid")]
    EmptyKeySet,
    /// Without one, any token of the key's owner would do.
    #[error("the issuer and the audience of tokens must not be empty")]
    MissingExpectation,
}

/// A key and the one algorithm that it serves.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// What tokens are verified with; it decides the algorithm.
pub struct Keys(Kind);

enum Kind {
    /// Current secret first, then the previous one.
    Secrets(Vec<Key>),
    /// By `kid`.
    Named(Vec<(String, Key)>),
}

impl Keys {
    /// HS256 with a shared secret. While a secret is rotated, tokens signed with
    /// the `previous` one are accepted too.
    ///
    /// # Errors
    ///
    /// [`KeyError::ShortSecret`] under [`SECRET_BYTES_MIN`] bytes.
    pub fn hs256(current: &Secret, previous: Option<&Secret>) -> Result<Self, KeyError> {
        let keys = std::iter::once(current).chain(previous).map(secret_key);
        Ok(Self(Kind::Secrets(keys.collect::<Result<_, _>>()?)))
    }

    /// RS256 and ES256 with the public keys of a JWKS document, selected by `kid`.
    ///
    /// Keys for another purpose, of another kind, without a `kid` or with an RSA
    /// modulus under 2,048 bits are left out.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the document is none, or holds no usable key.
    pub fn jwks(document: &str) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_str(document).map_err(|_| KeyError::MalformedKeySet)?;
        if document.keys.len() > JWKS_KEYS_MAX {
            return Err(KeyError::TooManyKeys);
        }
        let mut named: Vec<(String, Key)> = Vec::new();
        for (kid, key) in document.keys.into_iter().filter_map(public_key) {
            if named.iter().any(|(known, _)| *known == kid) {
                return Err(KeyError::AmbiguousKeySet);
            }
            named.push((kid, key));
        }
        if named.is_empty() { Err(KeyError::EmptyKeySet) } else { Ok(Self(Kind::Named(named))) }
    }

    /// The keys that may have signed a token whose header says `kid`.
    pub(super) fn candidates(&self, kid: Option<&str>) -> Vec<&Key> {
        match &self.0 {
            Kind::Secrets(keys) => keys.iter().collect(),
            Kind::Named(named) => {
                named.iter().filter(|(name, _)| Some(name.as_str()) == kid).map(|(_, key)| key).collect()
            }
        }
    }
}

/// Shows how many keys there are and none of them.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, count) = match &self.0 {
            Kind::Secrets(keys) => ("Hs256", keys.len()),
            Kind::Named(named) => ("Jwks", named.len()),
        };
        f.debug_struct("Keys").field("kind", &kind).field("count", &count).finish()
    }
}

fn secret_key(secret: &Secret) -> Result<Key, KeyError> {
    let bytes = secret.expose().as_bytes();
    if bytes.len() < SECRET_BYTES_MIN {
        return Err(KeyError::ShortSecret);
    }
    Ok(Key { algorithm: Algorithm::HS256, decoding: DecodingKey::from_secret(bytes) })
}

fn public_key(value: Value) -> Option<(String, Key)> {
    let jwk = Jwk::deserialize(value).ok()?;
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let (algorithm, declared) = match &jwk.algorithm {
        AlgorithmParameters::RSA(key) if key.n.len() >= MODULUS_CHARACTERS_MIN => {
            (Algorithm::RS256, KeyAlgorithm::RS256)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    if !signs || jwk.common.key_algorithm.is_some_and(|found| found != declared) {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, Key { algorithm, decoding }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{EC, RSA, SECRET, jwk};
    use super::*;

    fn jwks(keys: &[Value]) -> Result<Keys, KeyError> {
        Keys::jwks(&json!({"keys": keys}).to_string())
    }

    fn rsa() -> Value {
        jwk(&RSA, Algorithm::RS256, "rsa-1")
    }

    #[test]
    fn short_and_empty_secrets_are_refused() {
        let good = Secret::new(SECRET);
        for short in ["", &SECRET[..31]] {
            let short = Secret::new(short);
            assert_eq!(Keys::hs256(&short, None).unwrap_err(), KeyError::ShortSecret);
            assert_eq!(Keys::hs256(&good, Some(&short)).unwrap_err(), KeyError::ShortSecret);
        }
        assert!(Keys::hs256(&good, None).is_ok());
    }

    #[test]
    fn usable_keys_of_a_set_are_found_by_kid() {
        let symmetric = json!({"kty": "oct", "kid": "o", "k": "AAAA"});
        let future = json!({"kty": "AKP", "kid": "p", "pub": "AAAA"});
        let ec = jwk(&EC, Algorithm::ES256, "ec-1");
        let keys = jwks(&[rsa(), symmetric, ec, future, json!(7)]).unwrap();
        let algorithm = |kid| keys.candidates(Some(kid)).iter().map(|key| key.algorithm).collect::<Vec<_>>();
        assert_eq!(algorithm("rsa-1"), [Algorithm::RS256]);
        assert_eq!(algorithm("ec-1"), [Algorithm::ES256]);
        assert!(algorithm("o").is_empty() && algorithm("p").is_empty());
        assert!(keys.candidates(None).is_empty());
    }

    #[test]
    fn unusable_sets_are_refused() {
        assert_eq!(Keys::jwks("<html>").unwrap_err(), KeyError::MalformedKeySet);
        assert_eq!(jwks(&[]).unwrap_err(), KeyError::EmptyKeySet);
        assert_eq!(jwks(&[rsa(), rsa()]).unwrap_err(), KeyError::AmbiguousKeySet);
        assert_eq!(jwks(&vec![json!({}); JWKS_KEYS_MAX + 1]).unwrap_err(), KeyError::TooManyKeys);
        for (name, value) in
            [("kid", json!(null)), ("use", json!("enc")), ("alg", json!("PS256")), ("n", json!("AQAB"))]
        {
            let mut key = rsa();
            key[name] = value;
            assert_eq!(jwks(&[key]).unwrap_err(), KeyError::EmptyKeySet, "{name}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let keys = Keys::hs256(&Secret::new(SECRET), None).unwrap();
        assert_eq!(format!("{keys:?}"), r#"Keys { kind: "Hs256", count: 1 }"#);
    }
}
