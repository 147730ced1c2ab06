use axum::http::Request;
use jsonwebtoken::{Algorithm, EncodingKey, encode};
use perf_core::config::Secret;
use serde_json::{Value, json};

use super::super::testing::{AUDIENCE, EC, ISSUER, NOW, RSA, SECRET, jwk, token, verifier};
use super::super::{LEEWAY_SECONDS, TOKEN_LIFETIME_SECONDS_MAX};
use super::*;
use perf_core::services::Scope;

const OTHER_SECRET: &str = "fedcba9876543210fedcba9876543210";

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "jo", "client_id": "acme", "scope": "performance:read",
           "iat": NOW, "nbf": NOW, "exp": NOW + 3_600})
}

/// The claims with some replaced; `null` removes one.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn signed(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn verified(changes: &Value) -> Result<Caller, TokenError> {
    verifier().verify(&signed(&Header::default(), &with(changes)), NOW)
}

fn refused(changes: &Value) -> TokenError {
    verified(changes).expect_err(&changes.to_string())
}

/// Unsigned parts of a token, in base64url.
fn part(value: &Value) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let text = value.to_string().into_bytes();
    let sextets = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(|i| char::from(DIGITS[bits >> (18 - 6 * i) & 63])).collect::<String>()
    };
    text.chunks(3).map(sextets).collect()
}

#[test]
fn good_token_names_its_caller() {
    let caller = verified(&json!({})).unwrap();
    assert_eq!((caller.client_id.as_str(), caller.subject.as_str()), ("acme", "jo"));
    assert_eq!(caller.expires_at, NOW + 3_600);
    assert!(caller.scopes.allow(Scope::Read) && !caller.scopes.allow(Scope::Write));
    let minted = verifier().verify(&token().sign(&Secret::new(SECRET)).unwrap(), NOW).unwrap();
    assert!(minted.scopes.allow(Scope::Write));
}

#[test]
fn required_claims_are_required() {
    for name in ["exp", "iss", "aud", "sub", "client_id"] {
        assert_eq!(refused(&json!({name: null})), TokenError::MissingClaim(name));
    }
    assert_eq!(refused(&json!({"sub": ""})), TokenError::MissingClaim("sub"));
    assert_eq!(refused(&json!({"aud": null, "iss": null})), TokenError::MissingClaim("iss"));
    for name in ["scope", "nbf", "iat"] {
        assert!(verified(&json!({name: null})).is_ok(), "{name}");
    }
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    for (name, value) in [
        ("exp", json!("1700003600")),
        ("iss", json!([ISSUER])),
        ("aud", json!({})),
        ("sub", json!(7)),
        ("client_id", json!(["acme"])),
        ("scope", json!(["performance:admin"])),
    ] {
        assert_eq!(refused(&json!({name: value})), TokenError::Malformed, "{name}");
    }
}

#[test]
fn issuer_and_audience_must_be_ours() {
    assert_eq!(refused(&json!({"iss": "https://login.example.org"})), TokenError::WrongIssuer);
    assert_eq!(refused(&json!({"aud": "other"})), TokenError::WrongAudience);
    assert_eq!(refused(&json!({"aud": []})), TokenError::WrongAudience);
    assert!(verified(&json!({"aud": ["other", AUDIENCE]})).is_ok());
    for (issuer, audience) in [("", AUDIENCE), (ISSUER, "")] {
        let keys = Keys::hs256(&Secret::new(SECRET), None).unwrap();
        assert_eq!(Verifier::new(keys, issuer, audience).unwrap_err(), KeyError::MissingExpectation);
    }
}

#[test]
fn expiry_has_a_leeway_of_seconds() {
    assert!(verified(&json!({"exp": NOW + 1 - LEEWAY_SECONDS})).is_ok());
    assert_eq!(refused(&json!({"exp": NOW - LEEWAY_SECONDS})), TokenError::Expired);
    assert_eq!(refused(&json!({"exp": NOW - 45})), TokenError::Expired);
    assert_eq!(refused(&json!({"exp": i64::MIN})), TokenError::Expired);
    assert!(verified(&json!({"exp": NOW as f64 + 60.5})).is_ok());
}

#[test]
fn tokens_of_the_future_are_refused() {
    for name in ["nbf", "iat"] {
        assert!(verified(&json!({name: NOW + LEEWAY_SECONDS})).is_ok());
        assert_eq!(refused(&json!({name: NOW + LEEWAY_SECONDS + 1})), TokenError::NotYetValid);
    }
    assert_eq!(refused(&json!({"nbf": NOW + 3_600, "exp": NOW + 7_200})), TokenError::NotYetValid);
}

#[test]
fn lifetime_is_capped_with_and_without_iat() {
    let century = 100 * 365 * 86_400;
    let day = TOKEN_LIFETIME_SECONDS_MAX;
    assert!(verified(&json!({"exp": NOW + day})).is_ok());
    assert_eq!(refused(&json!({"exp": NOW + day + 1})), TokenError::LifetimeTooLong);
    assert_eq!(refused(&json!({"exp": NOW + century})), TokenError::LifetimeTooLong);
    assert_eq!(refused(&json!({"exp": NOW + century, "iat": null})), TokenError::LifetimeTooLong);
    assert_eq!(refused(&json!({"exp": i64::MAX, "iat": null})), TokenError::LifetimeTooLong);
    // A long-lived token does not become acceptable on its last day.
    assert_eq!(refused(&json!({"exp": NOW + 60, "iat": NOW - century})), TokenError::LifetimeTooLong);
}

#[test]
fn client_must_be_an_identifier() {
    for client in ["", "a#b", "a b", "acmé", &"a".repeat(129)] {
        assert_eq!(refused(&json!({"client_id": client})), TokenError::InvalidClient, "{client}");
    }
}

#[test]
fn unsigned_tokens_are_refused() {
    for algorithm in ["none", "None", "NONE", ""] {
        let unsigned = format!("{}.{}.", part(&json!({"alg": algorithm, "typ": "JWT"})), part(&claims()));
        assert_eq!(verifier().verify(&unsigned, NOW), Err(TokenError::Malformed), "{algorithm}");
    }
    let stripped = format!("{}.{}.", part(&json!({"alg": "HS256"})), part(&claims()));
    assert_eq!(verifier().verify(&stripped, NOW), Err(TokenError::WrongSignature));
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = signed(&Header::new(algorithm), &claims());
        assert_eq!(verifier().verify(&token, NOW), Err(TokenError::WrongAlgorithm));
    }
    let rs256 = encode(&Header::new(Algorithm::RS256), &claims(), &RSA).unwrap();
    assert_eq!(verifier().verify(&rs256, NOW), Err(TokenError::WrongAlgorithm));
}

#[test]
fn header_cannot_bring_a_key_or_conditions() {
    let own_key = EncodingKey::from_secret(OTHER_SECRET.as_bytes());
    let header = Header {
        jku: Some("https://evil.example/keys".to_owned()),
        jwk: serde_json::from_value(json!({"kty": "oct", "k": "ZmVkY2Jh"})).unwrap(),
        ..Header::default()
    };
    let token = encode(&header, &claims(), &own_key).unwrap();
    assert_eq!(verifier().verify(&token, NOW), Err(TokenError::WrongSignature));
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..Header::default() };
    assert_eq!(verifier().verify(&signed(&critical, &claims()), NOW), Err(TokenError::UnsupportedHeader));
}

#[test]
fn only_access_tokens_are_taken() {
    let typed = |name: Option<&str>| {
        let header = Header { typ: name.map(str::to_owned), ..Header::default() };
        verifier().verify(&signed(&header, &claims()), NOW).map(|_| ())
    };
    for name in [None, Some("JWT"), Some("jwt"), Some("at+jwt")] {
        assert_eq!(typed(name), Ok(()), "{name:?}");
    }
    for name in ["logout+jwt", "dpop+jwt", ""] {
        assert_eq!(typed(Some(name)), Err(TokenError::UnsupportedHeader), "{name}");
    }
}

#[test]
fn changed_and_broken_tokens_are_refused() {
    let token = signed(&Header::default(), &claims());
    let (start, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = start.split_once('.').unwrap();
    let forged = format!("{header}.{}.{signature}", part(&with(&json!({"client_id": "beta"}))));
    assert_eq!(verifier().verify(&forged, NOW), Err(TokenError::WrongSignature));
    for broken in ["", ".", "..", "a.b.c", header, start, &format!("{token}.x"), "é.é.é"] {
        assert_eq!(verifier().verify(broken, NOW), Err(TokenError::Malformed), "{broken}");
    }
    assert_eq!(verifier().verify(&"a".repeat(TOKEN_BYTES_MAX + 1), NOW), Err(TokenError::TooLong));
}

#[test]
fn claims_given_twice_are_refused() {
    let twice = claims().to_string().replace(r#""sub""#, r#""client_id":"beta","sub""#);
    let twice: Box<serde_json::value::RawValue> = serde_json::value::RawValue::from_string(twice).unwrap();
    let token = encode(&Header::default(), &twice, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    assert_eq!(verifier().verify(&token, NOW), Err(TokenError::Malformed));
}

#[test]
fn previous_secret_is_accepted_during_a_rotation() {
    let signed_before = signed(&Header::default(), &claims());
    let (new, old) = (Secret::new(OTHER_SECRET), Secret::new(SECRET));
    let rotating = Verifier::new(Keys::hs256(&new, Some(&old)).unwrap(), ISSUER, AUDIENCE).unwrap();
    assert!(rotating.verify(&signed_before, NOW).is_ok());
    assert!(rotating.verify(&token().sign(&new).unwrap(), NOW).is_ok());
    let rotated = Verifier::new(Keys::hs256(&new, None).unwrap(), ISSUER, AUDIENCE).unwrap();
    assert_eq!(rotated.verify(&signed_before, NOW), Err(TokenError::WrongSignature));
}

fn jwks_verifier() -> Verifier {
    let keys = [jwk(&RSA, Algorithm::RS256, "rsa-1"), jwk(&EC, Algorithm::ES256, "ec-1")];
    Verifier::new(Keys::jwks(&json!({"keys": keys}).to_string()).unwrap(), ISSUER, AUDIENCE).unwrap()
}

fn named(algorithm: Algorithm, kid: Option<&str>) -> Header {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    header
}

#[test]
fn jwks_keys_verify_by_kid() {
    let verifier = jwks_verifier();
    let rsa = |kid| encode(&named(Algorithm::RS256, kid), &claims(), &RSA).unwrap();
    let ec = |kid| encode(&named(Algorithm::ES256, kid), &claims(), &EC).unwrap();
    assert_eq!(verifier.verify(&rsa(Some("rsa-1")), NOW).unwrap().client_id.as_str(), "acme");
    assert!(verifier.verify(&ec(Some("ec-1")), NOW).is_ok());
    assert_eq!(verifier.verify(&rsa(None), NOW), Err(TokenError::UnknownKey));
    assert_eq!(verifier.verify(&rsa(Some("rsa-2")), NOW), Err(TokenError::UnknownKey));
    assert_eq!(verifier.verify(&rsa(Some("ec-1")), NOW), Err(TokenError::WrongAlgorithm));
    let ps256 = encode(&named(Algorithm::PS256, Some("rsa-1")), &claims(), &RSA).unwrap();
    assert_eq!(verifier.verify(&ps256, NOW), Err(TokenError::WrongAlgorithm));
}

#[test]
fn public_key_is_no_shared_secret() {
    let public = jwk(&RSA, Algorithm::RS256, "rsa-1").to_string();
    let confused = EncodingKey::from_secret(public.as_bytes());
    let token = encode(&named(Algorithm::HS256, Some("rsa-1")), &claims(), &confused).unwrap();
    assert_eq!(jwks_verifier().verify(&token, NOW), Err(TokenError::WrongAlgorithm));
}

#[test]
fn header_field_holds_one_bearer_token() {
    let token = signed(&Header::default(), &claims());
    let authenticate = |values: &[String]| {
        let mut request = Request::builder();
        for value in values {
            request = request.header(AUTHORIZATION, value);
        }
        verifier().authenticate(&request.body(()).unwrap().into_parts().0, NOW).map(|_| ())
    };
    let bearer = format!("Bearer {token}");
    for value in [bearer.clone(), format!("bearer  {token} ")] {
        assert_eq!(authenticate(&[value]), Ok(()));
    }
    for values in [vec![], vec![token.clone()], vec![format!("Basic {token}")], vec![bearer.clone(), bearer]]
    {
        assert_eq!(authenticate(&values), Err(Denied::NoToken), "{}", values.len());
    }
    assert_eq!(authenticate(&["Bearer x".to_owned()]), Err(Denied::Token(TokenError::Malformed)));
}
