//! From a new environment to a function that takes its first event.

use std::process::ExitCode;
use std::{env, io, panic};

use anyhow::{Context, anyhow};
use perf_core::MEASURES;
use perf_core::config::Settings;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics::EmbeddedMetrics;

/// Crates that are ours: no line of theirs holds a body, a token or a figure.
const OWN_CRATES: [&str; 7] = [
    "api_handler",
    "event_processor",
    "jwt_authorizer",
    "perf_aws",
    "perf_core",
    "perf_lambda",
    "performance_calculator",
];
/// Crates of the runtime, whose spans name the invocation. At `trace` they log events whole.
const RUNTIME_CRATES: [&str; 2] = ["lambda_http", "lambda_runtime"];

/// Reads the settings, starts the log and runs a function in a runtime of one thread,
/// which is what an environment's share of a processor is good for. A function that
/// cannot start logs why.
///
/// # Errors
///
/// As the process's exit code, by which Lambda knows that the start has failed.
pub fn start<F>(function: impl FnOnce(Settings) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let ended = settings().and_then(|settings| {
        start_log(settings.log_level)?;
        let version = variable("AWS_LAMBDA_FUNCTION_VERSION");
        tracing::info!(version, "environment starts");
        tracing::trace!(target: MEASURES, cold_starts = 1_u64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(function(settings))
    });
    let Err(error) = ended else { return ExitCode::SUCCESS };
    // Where the settings cannot be read there is no log yet; a second start changes nothing.
    let _ = start_log(Level::ERROR);
    tracing::error!(error = format!("{error:#}"), "cannot start");
    ExitCode::FAILURE
}

/// What Lambda tells a function of itself; nothing elsewhere.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn settings() -> anyhow::Result<Settings> {
    let variables =
        env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
    // A deployed function has no file of settings.
    Settings::load(variables, None).context("cannot read the settings")
}

/// JSON lines on standard output: the log, each line with the spans around it (Lambda's
/// names the invocation, ours the request), and the measures, whatever the level.
/// A panic's own text may hold what a client has sent, so only its place is logged;
/// the crates of others, which log requests whole at their chattier levels, are heard
/// from `warn` on.
fn start_log(level: Level) -> anyhow::Result<()> {
    let targets = Targets::new()
        .with_default(level.min(Level::WARN))
        .with_targets(RUNTIME_CRATES.map(|name| (name, level.min(Level::INFO))))
        .with_targets(OWN_CRATES.map(|name| (name, level)));
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(false).with_writer(io::stdout);
    let metrics = EmbeddedMetrics::new(variable("AWS_LAMBDA_FUNCTION_NAME"), io::stdout);
    tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .with(metrics.with_filter(Targets::new().with_target(MEASURES, Level::TRACE)))
        .try_init()
        .map_err(|error| anyhow!("cannot start the log: {error}"))?;
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
    Ok(())
}
