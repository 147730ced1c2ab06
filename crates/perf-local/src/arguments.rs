//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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

Exit status: 0 with a result, 2 if the input is invalid (problem JSON on standard error), 1 if a
file cannot be read or written.";

const IRR_EXAMPLES: &str = "\
Example request (money paid in is negative):
  {\"cash_flows\": [{\"date\": \"2023-01-01\", \"amount\": -10000}, {\"date\": \"2023-12-31\", \"amount\": 11000}]}";

const BATCH_EXAMPLES: &str = "\
Each line is a request as for calculate, or an IRR request with \"kind\": \"irr\"; an \"id\" comes back
with the answer. A line that cannot be answered becomes {\"error\": ...} and the batch goes on.

Example:
  perfcalc batch requests.jsonl > results.jsonl";

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
    /// Cash flows as CSV: date,amount, and timing if wanted
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
    #[arg(long, requires = "series", value_name = "TYPE:ID", default_value = "portfolio:portfolio")]
    pub(crate) entity: String,
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
    #[arg(long, requires = "series", value_name = "LEVEL")]
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
