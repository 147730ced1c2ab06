//! The table of settings: names, defaults, rules, descriptions and the fields that they fill.

use std::num::NonZeroUsize;
use std::str::FromStr;

use rust_decimal::Decimal;
use tracing::Level;

use super::{FILE_VARIABLE, Optional, Problem, Secret, Settings, TimeSeriesStore};

const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
const SECRET_BYTES_MIN: usize = 32;
const SHOWN_CHARS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 2_048;

/// A row of the table of settings.
#[derive(Debug)]
pub struct Variable {
    /// Name in the environment; the key in the file is the same in lower case.
    pub name: &'static str,
    /// Value when nothing sets it.
    pub default: Option<&'static str>,
    /// What it is for.
    pub description: &'static str,
    kind: Kind,
}

type Field<T> = fn(&mut Settings) -> &mut T;

/// What a setting accepts, and the field that it fills.
#[derive(Debug)]
enum Kind {
    Text(&'static TextRule, Field<Optional<String>>),
    Secret(Field<Optional<Secret>>),
    WholeNumber(u64, Field<u64>),
    Count(NonZeroUsize, Field<NonZeroUsize>),
    Rate(Field<Decimal>),
    Store(Field<TimeSeriesStore>),
    Level(Field<Level>),
}

#[derive(Debug)]
struct TextRule {
    expected: &'static str,
    accepts: fn(&str) -> bool,
}

const TEXT: TextRule = TextRule { expected: "one line of at most 2,048 bytes", accepts: |_| true };

const URL: TextRule = TextRule {
    expected: "an http or https URL without user information",
    accepts: |text| authority(text, "http").or_else(|| authority(text, "https")).is_some(),
};

const HTTPS_URL: TextRule = TextRule {
    expected: "an https URL, or http on the local host",
    accepts: |text| authority(text, "https").is_some() || is_local_http(text),
};

const SECRET_ARN: TextRule = TextRule {
    expected: "the ARN of a Secrets Manager secret",
    accepts: |text| text.starts_with("arn:") && text.contains(":secretsmanager:"),
};

const STORES: [(&str, TimeSeriesStore); 2] =
    [("dynamodb", TimeSeriesStore::Dynamodb), ("timestream", TimeSeriesStore::Timestream)];

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

const MAX_CONCURRENCY_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

/// Every setting.
///
/// # Examples
///
/// ```
/// use perf_core::config::VARIABLES;
///
/// let ttl = VARIABLES.iter().find(|variable| variable.name == "CACHE_TTL_SECONDS").unwrap();
/// assert_eq!(ttl.default, Some("300"));
/// assert_eq!(ttl.expected(), "a whole number from 0 to 86400");
/// ```
#[rustfmt::skip] // Two lines a row.
pub static VARIABLES: [Variable; 19] = [
    row("DYNAMODB_TABLE", None, Kind::Text(&TEXT, |s| &mut s.dynamodb_table),
        "Results table"),
    row("LEDGER_TABLE", None, Kind::Text(&TEXT, |s| &mut s.ledger_table),
        "Ledger table: valuations and transactions"),
    row("STATE_TABLE", None, Kind::Text(&TEXT, |s| &mut s.state_table),
        "State table: request status and idempotency records"),
    row("TIMESTREAM_DATABASE", None, Kind::Text(&TEXT, |s| &mut s.timestream_database),
        "Timestream database, when `TIME_SERIES_STORE` is `timestream`"),
    row("TIMESTREAM_TABLE", None, Kind::Text(&TEXT, |s| &mut s.timestream_table),
        "Timestream table, when `TIME_SERIES_STORE` is `timestream`"),
    row("SQS_QUEUE_URL", None, Kind::Text(&URL, |s| &mut s.sqs_queue_url),
        "Queue that the event processor reads"),
    row("CLAIM_BUCKET", None, Kind::Text(&TEXT, |s| &mut s.claim_bucket),
        "Bucket for messages that are too large for the queue"),
    row("INPUT_BUCKET", None, Kind::Text(&TEXT, |s| &mut s.input_bucket),
        "Bucket whose `imports/` are ingested; no other bucket is read"),
    row("JWT_SECRET_ARN", None, Kind::Text(&SECRET_ARN, |s| &mut s.jwt_secret_arn),
        "Secret that holds the HS256 key of tokens"),
    row("JWT_SECRET", None, Kind::Secret(|s| &mut s.jwt_secret),
        "HS256 key of tokens, on one machine only: deployed functions use `JWT_SECRET_ARN`"),
    row("JWT_JWKS_URL", None, Kind::Text(&HTTPS_URL, |s| &mut s.jwt_jwks_url),
        "Public keys of RS256 or ES256 tokens, instead of either secret"),
    row("JWT_ISSUER", None, Kind::Text(&TEXT, |s| &mut s.jwt_issuer),
        "The `iss` that tokens must carry"),
    row("JWT_AUDIENCE", None, Kind::Text(&TEXT, |s| &mut s.jwt_audience),
        "The `aud` that tokens must carry"),
    row("TIME_SERIES_STORE", Some("dynamodb"), Kind::Store(|s| &mut s.time_series_store),
        "Where the time series is written; the API reads DynamoDB always"),
    row("CACHE_TTL_SECONDS", Some("300"), Kind::WholeNumber(86_400, |s| &mut s.cache_ttl_seconds),
        "How long a calculated result stays in memory; 0 turns caching off"),
    row("MAX_CONCURRENCY", Some("8"), Kind::Count(MAX_CONCURRENCY_MAX, |s| &mut s.max_concurrency),
        "Items of a batch that are processed at once"),
    row("RISK_FREE_RATE", Some("0"), Kind::Rate(|s| &mut s.risk_free_rate),
        "Annual risk-free rate of requests that give none; 0.02 is 2 %"),
    row("LOG_LEVEL", Some("info"), Kind::Level(|s| &mut s.log_level),
        "Least severe level that is logged"),
    row(FILE_VARIABLE, None, Kind::Text(&TEXT, |s| &mut s.perf_config),
        "Path of the settings file; in the environment only"),
];

const fn row(
    name: &'static str,
    default: Option<&'static str>,
    kind: Kind,
    description: &'static str,
) -> Variable {
    Variable { name, default, description, kind }
}

impl Variable {
    /// The key in the file.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(perf_core::config::VARIABLES[0].key(), "dynamodb_table");
    /// ```
    #[must_use]
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// What the setting accepts.
    #[must_use]
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Text(rule, _) => rule.expected.to_owned(),
            Kind::Secret(_) => format!("text of at least {SECRET_BYTES_MIN} bytes"),
            Kind::WholeNumber(max, _) => format!("a whole number from 0 to {max}"),
            Kind::Count(max, _) => format!("a whole number from 1 to {max}"),
            Kind::Rate(_) => "a decimal number above -1, such as 0.02".to_owned(),
            Kind::Store(_) => one_of(&STORES),
            Kind::Level(_) => one_of(&LEVELS),
        }
    }

    /// Fills the setting's field; `None` if it does not accept `text`.
    pub(super) fn assign(&self, settings: &mut Settings, text: &str) -> Option<()> {
        let trimmed = text.trim();
        match self.kind {
            Kind::Text(rule, field) => field(settings).value = Some(ruled(trimmed, rule)?),
            Kind::Secret(field) => field(settings).value = Some(secret(text)?),
            Kind::WholeNumber(max, field) => *field(settings) = at_most(trimmed, max)?,
            Kind::Count(max, field) => *field(settings) = at_most(trimmed, max)?,
            Kind::Rate(field) => *field(settings) = rate(trimmed)?,
            Kind::Store(field) => *field(settings) = named(&STORES, trimmed)?,
            Kind::Level(field) => *field(settings) = named(&LEVELS, trimmed)?,
        }
        Some(())
    }

    pub(super) fn problem(&self, name: &str, found: String) -> Problem {
        Problem { name: name.to_owned(), found, expected: self.expected() }
    }

    // The place of the ARN is where a secret's value gets pasted by mistake,
    // and a URL may hold a password.
    pub(super) fn shown(&self, text: &str) -> String {
        let is_secret = matches!(self.kind, Kind::Secret(_)) || self.name == "JWT_SECRET_ARN";
        if is_secret || text.contains('@') {
            return "a value that is not shown".to_owned();
        }
        quoted(text)
    }
}

pub(super) fn quoted(text: &str) -> String {
    let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{start:?}")
}

fn one_of<T>(choices: &[(&str, T)]) -> String {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    format!("one of {}", names.join(", "))
}

fn named<T: Copy>(choices: &[(&str, T)], text: &str) -> Option<T> {
    let mut choices = choices.iter();
    let choice = choices.find(|(name, _)| name.eq_ignore_ascii_case(text));
    choice.map(|(_, value)| *value)
}

fn ruled(text: &str, rule: &TextRule) -> Option<String> {
    let is_text = text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control);
    (is_text && (rule.accepts)(text)).then(|| text.to_owned())
}

/// The host and port of a URL of this scheme.
fn authority<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(scheme)?.strip_prefix("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let has_host = !authority.is_empty() && !authority.contains('@');
    (has_host && !text.contains(char::is_whitespace)).then_some(authority)
}

fn is_local_http(text: &str) -> bool {
    let Some(authority) = authority(text, "http") else {
        return false;
    };
    let mut ports = LOCAL_HOSTS.iter().filter_map(|host| authority.strip_prefix(host));
    ports.any(|port| port.is_empty() || port.starts_with(':'))
}

// RFC 7518 asks for a key of at least the size of the hash.
fn secret(text: &str) -> Option<Secret> {
    (text.len() >= SECRET_BYTES_MIN).then(|| Secret::new(text))
}

fn at_most<N: Copy + FromStr + PartialOrd>(text: &str, max: N) -> Option<N> {
    text.parse().ok().filter(|number| *number <= max)
}

fn rate(text: &str) -> Option<Decimal> {
    let rate = Decimal::from_str_exact(text).ok()?;
    (rate > Decimal::NEGATIVE_ONE).then_some(rate)
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn accepts(name: &str, text: &str) -> bool {
        let variable = VARIABLES.iter().find(|variable| variable.name == name).unwrap();
        variable.assign(&mut Settings::unset(), text).is_some()
    }

    /// The fields as `Debug` shows them, one text each.
    fn fields(settings: &Settings) -> Vec<String> {
        let shown = format!("{settings:#?}").replace("\n        ", " ");
        shown.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn every_variable_fills_the_field_of_its_name() {
        for variable in &VARIABLES {
            let mut settings = Settings::unset();
            let text = match variable.kind {
                Kind::Text(rule, _) if (rule.accepts)("t") => "t",
                Kind::Text(rule, _) if (rule.accepts)("https://t") => "https://t",
                Kind::Text(..) => "arn:aws:secretsmanager:eu-west-1:1:secret:t",
                Kind::Secret(_) => KEY,
                Kind::WholeNumber(..) | Kind::Count(..) | Kind::Rate(_) => "7",
                Kind::Store(_) => "timestream",
                Kind::Level(_) => "trace",
            };
            let before = fields(&settings);
            variable.assign(&mut settings, text).unwrap();
            let after = fields(&settings);
            let changed: Vec<_> =
                before.iter().zip(&after).filter(|(before, after)| before != after).collect();
            let [(field, _)] = changed[..] else {
                panic!("{changed:?}");
            };
            assert!(field.starts_with(&format!("{}: ", variable.key())), "{field}");
        }
    }

    #[test]
    fn every_default_is_accepted() {
        for variable in &VARIABLES {
            if let Some(default) = variable.default {
                let assigned = variable.assign(&mut Settings::unset(), default);
                assert!(assigned.is_some(), "{}", variable.name);
            }
        }
    }

    #[test]
    fn ranges_are_enforced() {
        let cases = [
            ("CACHE_TTL_SECONDS", "0", true),
            ("CACHE_TTL_SECONDS", "86400", true),
            ("CACHE_TTL_SECONDS", "86401", false),
            ("CACHE_TTL_SECONDS", "-1", false),
            ("CACHE_TTL_SECONDS", "1.5", false),
            ("MAX_CONCURRENCY", "1", true),
            ("MAX_CONCURRENCY", "64", true),
            ("MAX_CONCURRENCY", "65", false),
            ("MAX_CONCURRENCY", "0", false),
            ("RISK_FREE_RATE", "-0.9999999999999999999999999999", true),
            ("RISK_FREE_RATE", "-1", false),
            ("RISK_FREE_RATE", "0.02", true),
            ("RISK_FREE_RATE", "2%", false),
            ("RISK_FREE_RATE", "NaN", false),
            ("RISK_FREE_RATE", "1e-2", false),
            ("RISK_FREE_RATE", "0.00000000000000000000000000001", false),
            ("LOG_LEVEL", "TRACE", true),
            ("LOG_LEVEL", "verbose", false),
            ("TIME_SERIES_STORE", "Timestream", true),
            ("TIME_SERIES_STORE", "influx", false),
        ];
        for (name, text, accepted) in cases {
            assert_eq!(accepts(name, text), accepted, "{name}={text}");
        }
    }

    #[test]
    fn texts_are_checked() {
        let long = "t".repeat(TEXT_BYTES_MAX + 1);
        let cases = [
            ("DYNAMODB_TABLE", "results", true),
            ("DYNAMODB_TABLE", "two\nlines", false),
            ("DYNAMODB_TABLE", long.as_str(), false),
            ("SQS_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/q", true),
            ("SQS_QUEUE_URL", "http://127.0.0.1:4566/000000000000/q", true),
            ("SQS_QUEUE_URL", "queue", false),
            ("SQS_QUEUE_URL", "https:///q", false),
            ("SQS_QUEUE_URL", "https://a b/q", false),
            ("JWT_JWKS_URL", "https://login.example.com/keys", true),
            ("JWT_JWKS_URL", "http://localhost:8080/keys", true),
            ("JWT_JWKS_URL", "http://[::1]/keys", true),
            ("JWT_JWKS_URL", "http://login.example.com/keys", false),
            ("JWT_JWKS_URL", "http://localhost.example.com/keys", false),
            ("JWT_JWKS_URL", "http://localhost:1@example.com/keys", false),
            ("JWT_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:jwt", true),
            ("JWT_SECRET_ARN", KEY, false),
            ("JWT_SECRET", KEY, true),
            ("JWT_SECRET", &KEY[1..], false),
        ];
        for (name, text, accepted) in cases {
            assert_eq!(accepts(name, text), accepted, "{name}={text}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), VARIABLES.len());
    }

    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    const TABLE_START: &str = "<!-- settings: generated -->\n";
    const TABLE_END: &str = "<!-- settings: end -->";

    fn table() -> String {
        let mut table =
            String::from("| variable | default | accepts | what it is for |\n|---|---|---|---|\n");
        for variable in &VARIABLES {
            let default = variable.default.map(|text| format!("`{text}`"));
            let cells = [
                format!("`{}`", variable.name),
                default.unwrap_or_default(),
                variable.expected(),
                variable.description.to_owned(),
            ];
            table += &format!("| {} |\n", cells.join(" | "));
        }
        table
    }

    /// `UPDATE_DOCS=1 cargo test -p perf-core --lib config` writes the table.
    #[test]
    fn documentation_holds_the_table_and_a_valid_file() {
        let document = fs::read_to_string(DOCUMENT).unwrap();
        let (before, rest) = document.split_once(TABLE_START).unwrap();
        let (found, after) = rest.split_once(TABLE_END).unwrap();
        if env::var_os("UPDATE_DOCS").is_some() {
            let document = format!("{before}{TABLE_START}{}{TABLE_END}{after}", table());
            fs::write(DOCUMENT, document).unwrap();
        } else {
            let command = "UPDATE_DOCS=1 cargo test -p perf-core --lib config";
            assert_eq!(found, table(), "out of date: run {command}");
        }
        let (_, example) = after.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let settings = Settings::load(std::iter::empty(), Some(example)).unwrap();
        assert_eq!(settings.risk_free_rate.to_string(), "0.02");
    }
}
