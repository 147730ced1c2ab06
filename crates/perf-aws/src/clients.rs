use std::env;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};

/// Attempts of one call, the first included.
const ATTEMPTS_MAX: u32 = 4;
/// Ceiling of the pause before the first repetition; it doubles with each one.
const FIRST_PAUSE_MAX: Duration = Duration::from_millis(50);
/// Ceiling of every pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Until an answer begins.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
/// A call with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// A client that is made when it is first used: a function starts without those that it may never need.
#[derive(Clone, Debug)]
pub struct Lazy<C>(Arc<LazyLock<C, Box<dyn FnOnce() -> C + Send>>>);

impl<C: 'static> Lazy<C> {
    fn of(config: &SdkConfig, make: fn(&SdkConfig) -> C) -> Self {
        let config = config.clone();
        Self(Arc::new(LazyLock::new(Box::new(move || make(&config)))))
    }
}

impl<C> Deref for Lazy<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

/// Clients of one configuration, over one HTTP client.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
    connector: SharedHttpConnector,
    dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    sqs: Lazy<aws_sdk_sqs::Client>,
    s3: Lazy<aws_sdk_s3::Client>,
    secrets_manager: Lazy<aws_sdk_secretsmanager::Client>,
    has_own_timestream_endpoint: bool,
}

impl Clients {
    /// Reads region, credentials and endpoints as every AWS tool does: from the
    /// environment, from profiles, or from the machine. A function finds its
    /// credentials in the environment, and starts faster where nothing else is looked at.
    pub async fn load() -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest());
        let is_given = |name| env::var_os(name).is_some_and(|text| !text.is_empty());
        Self::from_loader(match ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].into_iter().all(is_given) {
            true => loader.credentials_provider(EnvironmentVariableCredentialsProvider::new()),
            false => loader,
        })
        .await
    }

    /// Clients whose region, credentials or endpoints the loader says; HTTP client,
    /// timeouts and retries are those of [`load`](Self::load).
    pub async fn from_loader(loader: ConfigLoader) -> Self {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build();
        let connector = SharedHttpConnector::new(connector);
        let shared = connector.clone();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(FIRST_PAUSE_MAX)
            .with_max_backoff(PAUSE_MAX);
        let config = loader
            .http_client(http_client_fn(move |_, _| shared.clone()))
            .retry_config(retries)
            .timeout_config(timeouts)
            .load()
            .await;
        let has_own = |name| config.endpoint_url().is_some() || env::var_os(name).is_some();
        Self {
            dynamodb: Lazy::of(&config, aws_sdk_dynamodb::Client::new),
            sqs: Lazy::of(&config, aws_sdk_sqs::Client::new),
            s3: Lazy::of(
                &config,
                if has_own("AWS_ENDPOINT_URL_S3") { s3_by_path } else { aws_sdk_s3::Client::new },
            ),
            secrets_manager: Lazy::of(&config, aws_sdk_secretsmanager::Client::new),
            has_own_timestream_endpoint: has_own("AWS_ENDPOINT_URL_TIMESTREAM_WRITE"),
            config,
            connector,
        }
    }

    /// The configuration of all clients.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// For tables.
    #[must_use]
    pub fn dynamodb(&self) -> Lazy<aws_sdk_dynamodb::Client> {
        self.dynamodb.clone()
    }

    /// For queues.
    #[must_use]
    pub fn sqs(&self) -> Lazy<aws_sdk_sqs::Client> {
        self.sqs.clone()
    }

    /// For buckets.
    #[must_use]
    pub fn s3(&self) -> Lazy<aws_sdk_s3::Client> {
        self.s3.clone()
    }

    /// For secrets.
    #[must_use]
    pub fn secrets_manager(&self) -> Lazy<aws_sdk_secretsmanager::Client> {
        self.secrets_manager.clone()
    }

    /// For time series, and whether the client's endpoint is given: otherwise it has
    /// to be asked for.
    pub(crate) fn timestream(&self) -> (aws_sdk_timestreamwrite::Client, bool) {
        (aws_sdk_timestreamwrite::Client::new(&self.config), self.has_own_timestream_endpoint)
    }

    /// The HTTP client of all clients.
    pub(crate) fn connector(&self) -> SharedHttpConnector {
        self.connector.clone()
    }
}

/// Another endpoint than Amazon's has no host name for each bucket.
fn s3_by_path(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}
