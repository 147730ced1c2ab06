//! Secrets and public keys of tokens; kept by [`Cached`](crate::Cached).

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use perf_core::config::Secret;
use perf_core::ports::PortError;

use crate::cached::Source;
use crate::clients::{Clients, Lazy};
use crate::error::port_error;

/// Largest key set that is read.
pub const KEY_SET_BYTES_MAX: usize = 256 << 10;
/// How long fetching a key set may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The shared secret of tokens, and the one before it while it is rotated.
#[derive(Clone, Debug)]
pub struct TokenSecrets {
    /// What tokens are signed with.
    pub current: Secret,
    /// What tokens of a moment ago were signed with.
    pub previous: Option<Secret>,
}

/// A secret of Secrets Manager.
#[derive(Clone, Debug)]
pub struct SecretSource {
    client: Lazy<Client>,
    arn: String,
}

impl SecretSource {
    /// The secret of this ARN.
    #[must_use]
    pub fn new(client: Lazy<Client>, arn: String) -> Self {
        Self { client, arn }
    }

    async fn version(&self, stage: &str) -> Result<Option<Secret>, PortError> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).version_stage(stage).send().await;
        match answer {
            Ok(value) => {
                let text = value.secret_string();
                let text = text.ok_or_else(|| PortError::permanent("the secret is not text"))?;
                Ok(Some(Secret::new(text)))
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(port_error("get secret", &error)),
        }
    }
}

#[async_trait]
impl Source for SecretSource {
    type Value = TokenSecrets;

    async fn fetch(&self) -> Result<TokenSecrets, PortError> {
        let current = self.version("AWSCURRENT").await?;
        let current = current.ok_or_else(|| PortError::permanent("there is no such secret"))?;
        // A secret that has never been rotated has no previous version.
        Ok(TokenSecrets { current, previous: self.version("AWSPREVIOUS").await? })
    }
}

/// A key set (JWKS) behind a URL.
#[derive(Clone, Debug)]
pub struct Jwks {
    connector: SharedHttpConnector,
    url: String,
}

impl Jwks {
    /// The key set at this URL, fetched with the HTTP client of all clients.
    #[must_use]
    pub fn new(clients: &Clients, url: String) -> Self {
        Self { connector: clients.connector(), url }
    }

    async fn document(&self) -> Result<String, PortError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        let address = request.set_uri(self.url.as_str());
        address.map_err(|_| PortError::permanent("the key set's URL is none"))?;
        request.headers_mut().insert("accept", "application/json");
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|error| PortError::transient(format!("get key set: {error}")))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(PortError::transient(format!("get key set: status {status}")));
        }
        let (mut body, mut content) = (ByteStream::new(answer.into_body()), Vec::new());
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| PortError::transient(format!("get key set: {error}")))?;
            if content.len() + chunk.len() > KEY_SET_BYTES_MAX {
                return Err(PortError::permanent("get key set: too large"));
            }
            content.extend_from_slice(&chunk);
        }
        String::from_utf8(content).map_err(|_| PortError::permanent("get key set: not text"))
    }
}

#[async_trait]
impl Source for Jwks {
    /// The document's text.
    type Value = String;

    async fn fetch(&self) -> Result<String, PortError> {
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, self.document()).await;
        fetched.unwrap_or_else(|_| Err(PortError::transient("get key set: timed out")))
    }
}
