//! Tokens and keys for tests. Asymmetric keys are made on the spot.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use perf_core::config::Secret;
use serde_json::{Value, json};

use super::{Keys, NewToken, Verifier};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const ISSUER: &str = "https://login.example.com";
pub(crate) const AUDIENCE: &str = "performance";
/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000;

/// Bytes of the PKCS #8 wrapping around a 2,048 bit RSA key.
const PKCS8_PREFIX_BYTES: usize = 26;

pub(crate) static RSA: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    EncodingKey::from_rsa_der(&pair.as_der().unwrap().as_ref()[PKCS8_PREFIX_BYTES..])
});

pub(crate) static EC: LazyLock<EncodingKey> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EncodingKey::from_ec_der(pair.as_ref())
});

/// The public part of a key.
pub(crate) fn jwk(key: &EncodingKey, algorithm: Algorithm, kid: &str) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(kid);
    jwk["use"] = json!("sig");
    jwk
}

pub(crate) fn token() -> NewToken<'static> {
    NewToken {
        client_id: "acme".parse().unwrap(),
        subject: "jo",
        scope: "performance:read performance:write",
        issuer: ISSUER,
        audience: AUDIENCE,
        issued_at: NOW,
        ttl_seconds: 3_600,
    }
}

pub(crate) fn verifier() -> Verifier {
    let keys = Keys::hs256(&Secret::new(SECRET), None).unwrap();
    Verifier::new(keys, ISSUER, AUDIENCE).unwrap()
}
