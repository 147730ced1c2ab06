//! The command line's grammar.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use perf_core::model::{EntityType, Identifier, Word};
use perf_core::services::Scope;

use crate::development::DEFAULT_DATA_FILE;
use crate::input::STANDARD_INPUT;

/// How did this portfolio do? Time-weighted and money-weighted returns, risk and
/// benchmark statistics, right to twenty digits.
#[derive(Debug, Parser)]
#[command(name = "perfcalc", version, arg_required_else_help = true)]
pub(crate) struct Perfcalc {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Calculate one portfolio, account or security
    #[command(after_help = CALCULATE_EXAMPLES)]
    Calculate(Box<CalculateArguments>),
    /// Find every internal rate of return of dated cash flows
    #[command(after_help = IRR_EXAMPLES)]
    Irr(FileArguments),
    /// Answer JSON Lines requests, in order, on all cores
    #[command(after_help = BATCH_EXAMPLES)]
    Batch(BatchArguments),
    /// Answer HTTP requests on this machine
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArguments),
    /// Print a token for the local server, or for a deployment whose secret you have
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(TokenArguments),
    /// Load valuations and flows of an entity into the local system
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArguments),
    /// Look at messages that failed too often, or try them again
    DeadLetters(DeadLettersArguments),
    /// Recompute published worked examples and show expected, got, difference
    Selftest,
}

const CALCULATE_EXAMPLES: &str = "\
Examples:
  perfcalc calculate request.json
  perfcalc calculate --valuations valuations.csv --flows flows.csv --benchmark benchmark.csv \\
      --risk-free 0.02 --format table

CSV files have a header line: date,value (valuations, benchmark), date,amount (flows; optionally
timing) or date,return (returns, benchmark). Dates are YYYY-MM-DD; a positive amount is money into
the portfolio; returns are fractions (0.01 is 1 %).

The options under \"With CSV files\" are for CSV files; a JSON request states its own conventions.

Exit status: 0 with a result, 2 if the input is invalid (problem JSON on standard error), 1 if a
file cannot be read or written.";

const IRR_EXAMPLES: &str = "\
Example (money paid in is negative):
  echo '{\"cash_flows\": [{\"date\": \"2023-01-01\", \"amount\": -10000},
                        {\"date\": \"2023-12-31\", \"amount\": 11000}]}' | perfcalc irr";

const BATCH_EXAMPLES: &str = "\
Each line is a request as for calculate, or an IRR request with \"kind\": \"irr\"; an \"id\" comes back
with the answer. A line that cannot be answered becomes {\"error\": ...} and the batch goes on.

Example:
  perfcalc batch requests.jsonl > results.jsonl";

const SERVE_EXAMPLES: &str = "\
The whole system in one process: the HTTP routes, the queue, its processor, and the stored ledgers
and results in one data file. /docs describes the routes, for a browser.

The first start makes a development secret beside the data file, for perfcalc token. The server
speaks plain HTTP: leave it on the loopback address. One server works on a data file at a time;
perfcalc import may run beside it. Ctrl-C or SIGTERM stops it after the work at hand; whatever else
was accepted is done after the next start.

Log lines are JSON on standard error. The environment may hold LOG_LEVEL, RISK_FREE_RATE,
CACHE_TTL_SECONDS, MAX_CONCURRENCY and PERF_CONFIG (docs/configuration.md).

Example:
  perfcalc serve --addr 127.0.0.1:0";

const IMPORT_EXAMPLES: &str = "\
Example:
  perfcalc import --entity portfolio:port-1 --valuations valuations.csv --flows flows.csv

The files are as for calculate: date,value and date,amount, a positive amount being a deposit. They
go the way of files in a deployed system's input bucket: stored, announced on the queue, taken into
the entity's ledger, and its standing results calculated. perfcalc serve may run on the same data
file meanwhile.

The same files again change nothing. A file takes the place of the one of its name that was imported
before: another value corrects the date's value, and a flow that it no longer has, on a day between
its first and its last, is removed. Valuations of other dates stay.

Exit status: 0 when the results are stored, 2 if a file is invalid (problem JSON on standard error),
1 if something else fails.";

const TOKEN_EXAMPLES: &str = "\
Examples:
  curl -H \"Authorization: Bearer $(perfcalc token --client acme)\" http://127.0.0.1:3000/openapi.json
  aws secretsmanager get-secret-value --secret-id NAME --query SecretString --output text \\
      | perfcalc token --client acme --secret-stdin --issuer ISSUER --audience AUDIENCE

One line break at the end of standard input is not part of the secret.";

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) addr: SocketAddr,
    /// Data file; the development secret is kept beside it
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DATA_FILE)]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// Tenant that the token is for
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Identifier,
    /// What it allows: performance:read, performance:write, performance:admin
    #[arg(long, value_name = "SCOPES", default_value = "performance:read performance:write",
          value_parser = scope)]
    pub(crate) scope: String,
    /// Data file of the local server
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DATA_FILE)]
    pub(crate) data: PathBuf,
    /// How long it is valid, such as 90s, 15m or 1h; at most 24h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds,
          allow_hyphen_values = true)]
    pub(crate) ttl: i64,
    /// Sign with the secret on standard input
    #[arg(long, requires_all = ["issuer", "audience"], conflicts_with = "data")]
    pub(crate) secret_stdin: bool,
    /// Issuer that the deployment expects
    #[arg(long, value_name = "ISSUER", requires = "secret_stdin")]
    pub(crate) issuer: Option<String>,
    /// Audience that the deployment expects
    #[arg(long, value_name = "AUDIENCE", requires = "secret_stdin")]
    pub(crate) audience: Option<String>,
}

/// A list of known scopes: a misspelt one would grant nothing.
fn scope(text: &str) -> Result<String, String> {
    let known = |word: &str| Scope::ALL.iter().any(|scope| scope.word() == word);
    match text.split_whitespace().find(|word| !known(word)) {
        Some(unknown) => {
            let all = Scope::ALL.map(Scope::word).join(", ");
            Err(format!("{unknown:?} is none of {all}"))
        }
        None => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

/// A time such as `15m`, in seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let unit = |character| match character {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        _ => None,
    };
    let parse = || {
        let (last, _) = text.char_indices().next_back()?;
        let (number, suffix) = text.split_at_checked(last)?;
        let number: u32 = number.parse().ok()?;
        Some(i64::from(number) * suffix.chars().next().and_then(unit)?)
    };
    parse().ok_or_else(|| "expected a whole number and s, m or h, such as 15m".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// Whose files they are, TYPE:ID; TYPE is portfolio, account or security
    #[arg(long, value_name = "TYPE:ID", value_parser = known_entity)]
    pub(crate) entity: (EntityType, Identifier),
    /// Valuations as CSV: date,value
    #[arg(long, value_name = "CSV", required_unless_present = "flows")]
    pub(crate) valuations: Option<PathBuf>,
    /// Cash flows as CSV: date,amount and optionally timing
    #[arg(long, value_name = "CSV")]
    pub(crate) flows: Option<PathBuf>,
    /// Tenant that the entity belongs to
    #[arg(long, value_name = "CLIENT", default_value = crate::calculate::LOCAL_CLIENT)]
    pub(crate) client: Identifier,
    /// Data file of the local system
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DATA_FILE)]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLettersArguments {
    #[command(subcommand)]
    pub(crate) action: DeadLettersAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersAction {
    /// One JSON document a message, the oldest first
    List(DataArguments),
    /// Put all of them back on the queue
    Redrive(DataArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Data file of the local system
    #[arg(long, value_name = "FILE", default_value = DEFAULT_DATA_FILE)]
    pub(crate) data: PathBuf,
}

fn known_entity(text: &str) -> Result<(EntityType, Identifier), String> {
    let (level, id) = entity(text)?;
    let level = EntityType::from_word(&level)
        .ok_or_else(|| format!("expected the type to be one of {}", EntityType::choices()))?;
    Ok((level, id.parse::<Identifier>().map_err(|error| error.to_string())?))
}

#[derive(Debug, Args)]
pub(crate) struct FileArguments {
    /// Request as JSON; `-` is standard input
    #[arg(value_name = "FILE", default_value = STANDARD_INPUT)]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BatchArguments {
    /// Requests, one JSON document a line; `-` is standard input
    #[arg(value_name = "FILE", default_value = STANDARD_INPUT)]
    pub(crate) file: PathBuf,
    /// Requests in work at once [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The result document
    Json,
    /// A table to read
    Table,
}

#[derive(Debug, Args)]
pub(crate) struct CalculateArguments {
    /// Request as JSON; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["valuations", "returns"])]
    pub(crate) file: Option<PathBuf>,
    /// Valuations as CSV: date,value
    #[arg(long, group = "series", value_name = "CSV")]
    pub(crate) valuations: Option<PathBuf>,
    /// Cash flows as CSV: date,amount and optionally timing
    #[arg(long, value_name = "CSV", requires = "valuations")]
    pub(crate) flows: Option<PathBuf>,
    /// Periodic returns as CSV instead of valuations: date,return
    #[arg(long, group = "series", value_name = "CSV")]
    pub(crate) returns: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) conventions: ConventionArguments,
}

/// What a JSON request says itself; for CSV files only. The texts are checked
/// where a request's are.
#[derive(Debug, Args)]
#[command(next_help_heading = "With CSV files")]
pub(crate) struct ConventionArguments {
    /// Benchmark as CSV: date,value or date,return
    #[arg(long, requires = "series", value_name = "CSV")]
    pub(crate) benchmark: Option<PathBuf>,
    /// Annual risk-free rate as a fraction [default: 0]
    #[arg(long, requires = "series", value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) risk_free: Option<String>,
    /// What the files are about, TYPE:ID; TYPE is portfolio, account or security
    #[arg(long, requires = "series", value_name = "TYPE:ID", default_value = "portfolio:unnamed", value_parser = entity)]
    pub(crate) entity: (String, String),
    /// Sub-periods: daily (default) or modified_dietz
    #[arg(long, requires = "series", value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// Flow timing: after_close (default), end_of_day, start_of_day or mid_day
    #[arg(long, requires = "series", value_name = "TIMING")]
    pub(crate) timing: Option<String>,
    /// Standard deviation: population (default) or sample
    #[arg(long, requires = "series", value_name = "BASIS")]
    pub(crate) volatility: Option<String>,
    /// ACT/365F (default), ACT/365.25, ACT/360, "ACT/ACT ISDA", 30/360 or 30E/360
    #[arg(long, requires = "series", value_name = "NAME")]
    pub(crate) day_count: Option<String>,
    /// Returns in a year, 1 to 366 [default: inferred from the dates]
    #[arg(long, requires = "series", value_name = "N")]
    pub(crate) periods_per_year: Option<u32>,
    /// Annual minimum acceptable return as a fraction [default: 0]
    #[arg(long, requires = "series", value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) minimum_acceptable_return: Option<String>,
    /// Confidence level of the values at risk [default: 0.95]
    #[arg(long, requires = "series", value_name = "LEVEL", allow_hyphen_values = true)]
    pub(crate) confidence_level: Option<String>,
    /// First day of the period [default: the data's first]
    #[arg(long, requires = "series", value_name = "DATE")]
    pub(crate) start: Option<String>,
    /// Last day of the period [default: the data's last]
    #[arg(long, requires = "series", value_name = "DATE")]
    pub(crate) end: Option<String>,
    /// Standing window instead: MTD, QTD, YTD, 1M, 3M, 6M, 1Y, 3Y, 5Y or ITD
    #[arg(long, requires = "series", value_name = "WINDOW", conflicts_with_all = ["start", "end"])]
    pub(crate) time_period: Option<String>,
    /// Last day of the standing window [default: the data's last]
    #[arg(long, requires_all = ["series", "time_period"], value_name = "DATE")]
    pub(crate) as_of: Option<String>,
    /// Metrics to calculate, comma-separated [default: all]
    #[arg(long, requires = "series", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Add the working of every sub-period
    #[arg(long, requires = "series")]
    pub(crate) explain: bool,
}

fn entity(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once(':').map(|(level, id)| (level.to_owned(), id.to_owned()));
    parts.ok_or_else(|| "expected TYPE:ID, such as portfolio:port-1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("1h", 3_600), ("0s", 0)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for text in ["", "1", "h", "1d", "-1h", "1.5h", "1 h", "9999999999h", "1é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn scopes_are_known_words() {
        assert_eq!(
            scope(" performance:read  performance:admin ").unwrap(),
            "performance:read performance:admin"
        );
        assert!(scope("performance:raed").unwrap_err().starts_with("\"performance:raed\" is none of"));
    }
}
