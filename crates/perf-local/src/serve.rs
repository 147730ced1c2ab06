//! `perfcalc serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io, panic};

use anyhow::{Context, anyhow};
use axum::Router;
use chrono::Utc;
use perf_core::config::{FILE_VARIABLE, Settings};
use perf_core::services::CalculatorSettings;
use perf_local::assembly;
use perf_local::store::{QueueSettings, SqliteStore};
use perf_local::system::SystemClock;
use perf_local::worker::Worker;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::arguments::ServeArguments;
use crate::development::{DEFAULT_DATA_FILE, Development};
use crate::report::{Failure, Outcome, print};

/// How long requests in work may take once the server is told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
/// Tenant, scopes and lifetime of the token that the start prints.
const EXAMPLE_CLIENT: &str = "acme";
const EXAMPLE_SCOPE: &str = "performance:read performance:write";
const EXAMPLE_TTL_SECONDS: i64 = 3_600;
const EXAMPLE_BODY: &str = r#"{"entity_type": "portfolio", "entity_id": "port-1", "valuations": [
    {"date": "2023-01-01", "value": "10000"}, {"date": "2023-01-02", "value": "10200"},
    {"date": "2023-01-03", "value": "11330"}],
    "cash_flows": [{"date": "2023-01-02", "amount": "1000"}]}"#;

pub(crate) fn run(arguments: &ServeArguments) -> Outcome {
    let settings = settings()?;
    start_log(&settings)?;
    let development = Development::prepare(&arguments.data)?;
    let store = SqliteStore::open(&arguments.data, Arc::new(SystemClock), QueueSettings::default());
    let store = store.with_context(|| format!("cannot open {}", arguments.data.display()))?;
    let system = System::new(Arc::new(store), &development, &settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments, system, &development))?;
    // What is still in work after the drain is given up.
    runtime.shutdown_background();
    Ok(())
}

/// What runs: the HTTP surface, and the queue behind it.
struct System {
    store: Arc<SqliteStore>,
    router: Router,
    worker: Worker,
}

impl System {
    fn new(store: Arc<SqliteStore>, development: &Development, settings: &Settings) -> anyhow::Result<Self> {
        let calculator = CalculatorSettings {
            risk_free_rate: settings.risk_free_rate.into(),
            cache_ttl_seconds: settings.cache_ttl_seconds,
        };
        let authenticator = Arc::new(development.verifier()?);
        let router = assembly::http(&store, authenticator, calculator, settings.max_concurrency);
        let processor = assembly::processor(&store, settings.risk_free_rate.into(), settings.max_concurrency);
        let worker = Worker::new(Arc::<SqliteStore>::clone(&store), processor);
        Ok(Self { router, worker, store })
    }
}

/// The settings of the environment and of the file that it names.
pub(crate) fn settings() -> anyhow::Result<Settings> {
    let file = match env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => {
            let shown = Path::new(&path).display();
            Some(fs::read_to_string(&path).with_context(|| format!("cannot read {FILE_VARIABLE} {shown}"))?)
        }
        None => None,
    };
    let variables =
        env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    Ok(Settings::load(variables, file.as_deref())?)
}

/// JSON lines on standard error. A panic's own text may hold what a client has
/// sent, so only its place is logged.
fn start_log(settings: &Settings) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_max_level(settings.log_level)
        .with_span_list(false)
        .with_writer(io::stderr)
        .try_init()
        .map_err(|error| anyhow!("cannot start the log: {error}"))?;
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
    Ok(())
}

async fn serve(arguments: &ServeArguments, system: System, development: &Development) -> Result<(), Failure> {
    let address = arguments.addr;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let released = system.store.release_messages().await.map_err(anyhow::Error::from)?;
    let stopped = stop_signal()?;
    tracing::info!(%address, released, "listening");
    if !address.ip().is_loopback() {
        tracing::warn!("reachable from other machines, without TLS");
    }
    print(&announcement(address, &arguments.data, development)?)?;
    let (worker, until_stopped) = (system.worker, stopped.clone());
    let working = tokio::spawn(async move { worker.run(until_stopped).await });
    let (until_stopped, mut overdue) = (stopped.clone(), stopped);
    let server = axum::serve(listener, system.router).with_graceful_shutdown(stop(until_stopped));
    tokio::select! {
        served = async { server.await } => {
            served?;
            working.await.map_err(anyhow::Error::from)?;
        }
        () = async {
            let _ = overdue.changed().await;
            tokio::time::sleep(DRAIN_TIME_MAX).await;
        } => tracing::warn!("stopped with work in hand"),
    }
    tracing::info!("stopped");
    Ok(())
}

async fn stop(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.changed().await;
}

/// Becomes true once the server is told to stop.
fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("stopping");
        let _ = sender.send(true);
    });
    Ok(receiver)
}

/// Where the server is, and a request to paste.
fn announcement(address: SocketAddr, data: &Path, development: &Development) -> anyhow::Result<String> {
    let now = Utc::now().timestamp();
    let token = development.token(EXAMPLE_CLIENT.parse()?, EXAMPLE_SCOPE, now, EXAMPLE_TTL_SECONDS)?;
    let url = format!("http://{}", reachable(address));
    let data = match data.display().to_string() {
        data if data == DEFAULT_DATA_FILE => String::new(),
        data => format!(" --data '{data}'"),
    };
    Ok(format!(
        "perfcalc listens on {url}\n\
         To read about it: {url}/docs\n\
         To try it, with a token of client {EXAMPLE_CLIENT} that is valid for an hour:\n\n\
         curl {url}/calculate -H 'Content-Type: application/json' \\\n  \
         -H 'Authorization: Bearer {token}' \\\n  \
         --data '{EXAMPLE_BODY}'\n\n\
         Another token: perfcalc token --client {EXAMPLE_CLIENT}{data}\n\
         To stop: Ctrl-C\n"
    ))
}

/// The address that a client on this machine connects to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_is_a_request() {
        assert!(perf_core::model::read::calculation(EXAMPLE_BODY.as_bytes()).is_ok());
        assert!(!EXAMPLE_BODY.contains('\''), "it stands between single quotes");
    }

    #[test]
    fn any_address_is_reached_on_this_machine() {
        for (bound, reached) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("192.0.2.1:1", "192.0.2.1:1"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
