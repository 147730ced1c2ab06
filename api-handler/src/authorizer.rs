//! API Gateway's authorizer: from a token to a policy and the caller's context.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequest;
use chrono::Utc;
use perf_aws::{Cached, Clients, Jwks, SecretSource};
use perf_core::MEASURES;
use perf_core::config::{Secret, Settings};
use perf_core::services::Caller;
use serde_json::{Value, json};
use thiserror::Error;

use crate::auth::{Denied, KeyError, Keys, TokenError, Verifier, bearer};
use crate::gateway::{CLIENT_ID, EXPIRES_AT, SCOPE, SUBJECT};

/// The answer that API Gateway turns into 401; any other error becomes a 500.
const UNAUTHORIZED: &str = "Unauthorized";

/// Verifies tokens with keys that are fetched when they are needed.
pub struct Authorizer {
    source: KeySource,
    issuer: String,
    audience: String,
}

/// Where keys come from: one of them, fixed by the settings.
enum KeySource {
    Secret(Box<Cached<SecretSource>>),
    KeySet(Box<Cached<Jwks>>),
    Given(Secret),
}

/// Why there is no policy.
#[derive(Debug, Error)]
pub enum AuthorizerError {
    /// The caller shows no good token.
    #[error("{UNAUTHORIZED}")]
    Unauthorized,
    /// The keys cannot be had, or the event is none of the gateway's.
    #[error("the token cannot be verified")]
    Unavailable,
}

impl Authorizer {
    /// An authorizer of these settings.
    ///
    /// # Errors
    ///
    /// A setting that is missing: the keys, the issuer or the audience.
    pub fn new(settings: &Settings, clients: &Clients) -> anyhow::Result<Self> {
        let source = match (settings.jwt_secret_arn.get(), settings.jwt_jwks_url.get()) {
            (Some(arn), _) => {
                let secret = SecretSource::new(clients.secrets_manager(), arn.clone());
                KeySource::Secret(Box::new(Cached::new(secret)))
            }
            (None, Some(url)) => KeySource::KeySet(Box::new(Cached::new(Jwks::new(clients, url.clone())))),
            (None, None) => KeySource::Given(settings.jwt_secret.require()?.clone()),
        };
        let issuer = settings.jwt_issuer.require()?.clone();
        let audience = settings.jwt_audience.require()?.clone();
        Ok(Self { source, issuer, audience })
    }

    /// A policy for every route of the stage, so that the gateway may remember it for
    /// the token; which of them the caller may use, the handlers decide.
    ///
    /// # Errors
    ///
    /// [`AuthorizerError`].
    pub async fn authorize(
        &self,
        event: &ApiGatewayCustomAuthorizerRequest,
    ) -> Result<Value, AuthorizerError> {
        let resource = event.method_arn.as_deref().and_then(stage_of).ok_or(AuthorizerError::Unavailable)?;
        let token = event.authorization_token.as_deref().and_then(bearer);
        let caller = match token {
            Some(token) => self.caller(token).await?,
            None => return Err(refused(&Denied::NoToken)),
        };
        tracing::trace!(target: MEASURES, tokens_accepted = 1_u64);
        Ok(policy(&caller, &resource))
    }

    /// Verified with the known keys; with those of this moment where the known ones
    /// did not sign the token.
    async fn caller(&self, token: &str) -> Result<Caller, AuthorizerError> {
        let now = Utc::now().timestamp();
        let verified = self.verifier(false).await?.verify(token, now);
        let verified = match verified {
            Err(TokenError::WrongSignature | TokenError::UnknownKey) => {
                self.verifier(true).await?.verify(token, now)
            }
            verified => verified,
        };
        verified.map_err(|error| refused(&error.into()))
    }

    async fn verifier(&self, is_refreshed: bool) -> Result<Verifier, AuthorizerError> {
        let keys = self.keys(is_refreshed).await?;
        let verifier = keys.and_then(|keys| Verifier::new(keys, &self.issuer, &self.audience));
        verifier.map_err(|error| {
            tracing::error!(%error, "the keys of tokens cannot be used");
            AuthorizerError::Unavailable
        })
    }

    async fn keys(&self, is_refreshed: bool) -> Result<Result<Keys, KeyError>, AuthorizerError> {
        let unavailable = |error| {
            tracing::error!(%error, "the keys of tokens are out of reach");
            AuthorizerError::Unavailable
        };
        Ok(match &self.source {
            KeySource::Secret(cached) => {
                let fetched = if is_refreshed { cached.refreshed().await } else { cached.get().await };
                let secrets = fetched.map_err(unavailable)?;
                Keys::hs256(&secrets.current, secrets.previous.as_ref())
            }
            KeySource::KeySet(cached) => {
                let fetched = if is_refreshed { cached.refreshed().await } else { cached.get().await };
                Keys::jwks(&fetched.map_err(unavailable)?)
            }
            KeySource::Given(secret) => Keys::hs256(secret, None),
        })
    }
}

fn refused(denied: &Denied) -> AuthorizerError {
    tracing::info!(reason = %denied, "caller refused");
    tracing::trace!(target: MEASURES, tokens_refused = 1_u64);
    AuthorizerError::Unauthorized
}

/// Every method and path of the stage that a method's ARN names.
fn stage_of(method_arn: &str) -> Option<String> {
    let mut parts = method_arn.split('/');
    let (api, stage, _) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{api}/{stage}/*"))
}

fn policy(caller: &Caller, resource: &str) -> Value {
    json!({
        "principalId": caller.subject,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}],
        },
        "context": {
            CLIENT_ID: caller.client_id,
            SUBJECT: caller.subject,
            SCOPE: caller.scopes.to_claim(),
            EXPIRES_AT: caller.expires_at.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_for_the_stage() {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/POST/calculate";
        let stage = stage_of(arn).unwrap();
        assert_eq!(stage, "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/v1/*");
        for wrong in ["", "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234", "*"] {
            assert_eq!(stage_of(wrong), None);
        }
        let scopes = perf_core::services::Scopes::from_claim("performance:write performance:read other");
        let caller =
            Caller { client_id: "acme".parse().unwrap(), subject: "jo".to_owned(), scopes, expires_at: 7 };
        let policy = policy(&caller, &stage);
        assert_eq!(policy["policyDocument"]["Statement"][0]["Resource"], stage);
        let expected = json!({"client_id": "acme", "subject": "jo", "exp": "7",
                              "scope": "performance:read performance:write"});
        assert_eq!(policy["context"], expected);
    }
}
